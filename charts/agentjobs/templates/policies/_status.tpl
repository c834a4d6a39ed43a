{{/*
What jobs and runs report. People read there what waits for approval and how a run ended, and the operator relies on what it wrote before.
So nobody else writes it, and Kubernetes, which has nothing to write there, is not an exception.
*/}}
{{- define "agentjobs.policies.status" -}}
kind: ValidatingAdmissionPolicy
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [agentjobs.dev]
        operations: [UPDATE]
        resources: [scheduledagentjobs/status, agentjobruns/status]
  matchConditions:
    - name: not-the-operator
      expression: request.userInfo.username != '{{ include "agentjobs.cel.operator" . }}'
  validations:
    - expression: {{ include "agentjobs.cel.mayBypass" . }}
      message: the status of jobs and runs is what the operator saw; nobody else writes it
      reason: Forbidden
{{- end -}}
