{{/*
Writes the name of the person who starts a run where it was left out; the policy `runs` refuses another person's. In the runs that it
makes, the operator itself says what started them.
*/}}
{{- define "agentjobs.policies.stamp-runs" -}}
kind: MutatingAdmissionPolicy
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [agentjobs.dev]
        operations: [CREATE]
        resources: [agentjobruns]
  matchConditions:
    - name: left-out
      expression: >-
        request.userInfo.username != '{{ include "agentjobs.cel.operator" . }}'
        && !has(object.spec.trigger.by)
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: "Object{spec: Object.spec{trigger: Object.spec.trigger{by: request.userInfo.username}}}"
{{- end -}}
