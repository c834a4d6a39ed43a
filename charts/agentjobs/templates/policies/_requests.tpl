{{/*
For approval.requireSecondPerson: refuses changes of a job after which nobody would know who changed its content last. By then, the policy
`stamp-jobs` has written the name; a name that somebody else wrote is refused.
*/}}
{{- define "agentjobs.policies.requests" -}}
kind: ValidatingAdmissionPolicy
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [agentjobs.dev]
        operations: [CREATE, UPDATE]
        resources: [scheduledagentjobs]
  variables:
    - name: changed
      expression: >-
        request.operation == 'CREATE'
        || {{ include "agentjobs.cel.contentChanged" . | nindent 8 }}
    - name: requester
      expression: object.metadata.?annotations[?'agentjobs.dev/requested-by'].orValue('')
    - name: before
      expression: "request.operation == 'CREATE' ? '' : oldObject.metadata.?annotations[?'agentjobs.dev/requested-by'].orValue('')"
  validations:
    - expression: "variables.requester == (variables.changed ? request.userInfo.username : variables.before)"
      message: >-
        metadata.annotations: agentjobs.dev/requested-by names who changed the content last; the server writes it, and nobody edits it
      reason: Forbidden
    # Anyone with `edit` there could write as that account and approve as themselves.
    - expression: "!variables.changed || !(('system:serviceaccounts:' + request.namespace) in request.userInfo.groups)"
      message: >-
        approval needs a second person (approval.requireSecondPerson), and whoever may edit here can act as this service account:
        write the job as a user, or through a service account of another namespace
      reason: Forbidden
    # Nothing notes on a ConfigMap who changed it.
    - expression: >-
        !variables.changed || !(has(object.spec.script) && has(object.spec.script.configMapKeyRef)
        || has(object.spec.agent) && has(object.spec.agent.configMapKeyRef))
      message: >-
        approval needs a second person (approval.requireSecondPerson), and nobody knows who changed a ConfigMap last:
        write the text inline instead of configMapKeyRef
      reason: Forbidden
{{- end -}}
