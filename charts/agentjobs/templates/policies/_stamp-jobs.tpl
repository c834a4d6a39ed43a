{{/*
For approval.requireSecondPerson: notes on a job who changed its content last. Where a manifest lacks the note, as a file in a repository
does, it is put back. A note that somebody wrote is left as it is, and the policy `requests` refuses it.
*/}}
{{- define "agentjobs.policies.stamp-jobs" -}}
kind: MutatingAdmissionPolicy
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [agentjobs.dev]
        operations: [CREATE, UPDATE]
        resources: [scheduledagentjobs]
  matchConditions:
    - name: changed-or-unmarked
      expression: >-
        request.operation == 'CREATE'
        || {{ include "agentjobs.cel.contentChanged" . | nindent 8 }}
        || !('agentjobs.dev/requested-by' in object.metadata.?annotations.orValue({}))
        && 'agentjobs.dev/requested-by' in oldObject.metadata.?annotations.orValue({})
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: >-
          Object{metadata: Object.metadata{annotations: {
          'agentjobs.dev/requested-by': request.operation == 'CREATE' || {{ include "agentjobs.cel.contentChanged" . | nindent 10 }}
          ? request.userInfo.username
          : oldObject.metadata.annotations['agentjobs.dev/requested-by']}}}
{{- end -}}
