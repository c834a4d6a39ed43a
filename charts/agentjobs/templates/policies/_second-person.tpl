{{/*
For approval.requireSecondPerson: the person who changed a job's content last does not approve it. The operator checks this again, because
content can also be written after its approval.
The rules are evaluated for every job of the namespace, as `params`, and the rules about the content let every job pass but the one that
the approval names. Where there is no job yet, there is nothing to compare with; the operator does so later.
*/}}
{{- define "agentjobs.policies.second-person" -}}
kind: ValidatingAdmissionPolicy
paramRef:
  selector: {}
  parameterNotFoundAction: Allow
spec:
  paramKind:
    apiVersion: agentjobs.dev/v1alpha1
    kind: ScheduledAgentJob
  matchConstraints:
    resourceRules:
      - apiGroups: [agentjobs.dev]
        operations: [CREATE]
        resources: [agentjobapprovals]
  matchConditions:
    # Anyone with the verb may deny: stopping something needs no second person.
    - name: approves
      expression: object.spec.decision == 'Approved'
  variables:
    - name: requester
      expression: params.metadata.?annotations[?'agentjobs.dev/requested-by'].orValue('')
  validations:
    - expression: "!request.userInfo.username.startsWith('system:serviceaccount:')"
      message: >-
        approval needs a second person (approval.requireSecondPerson), and a service account is none: a pipeline that applies approvals
        from a repository cannot say who merged them. Approve as a person, or switch requireSecondPerson off
      reason: Forbidden
    # A job that is older than the setting may have one; what is in force of it stays in force.
    - expression: >-
        params.metadata.name != object.spec.jobName
        || !(params.spec.?script.?configMapKeyRef.hasValue() || params.spec.?agent.?configMapKeyRef.hasValue())
      messageExpression: >-
        'approval needs a second person (approval.requireSecondPerson), and nobody knows who changed the ConfigMap of '
        + object.spec.jobName + ' last: write the text inline instead of configMapKeyRef'
      reason: Forbidden
    - expression: params.metadata.name != object.spec.jobName || variables.requester != request.userInfo.username
      messageExpression: >-
        'approval needs a second person (approval.requireSecondPerson): you, ' + request.userInfo.username + ', changed the content of '
        + object.spec.jobName + ' last, so somebody else has to approve it'
      reason: Forbidden
    # A job that is older than the setting has no name on it.
    - expression: params.metadata.name != object.spec.jobName || variables.requester != ''
      messageExpression: >-
        'approval needs a second person (approval.requireSecondPerson), and nobody knows who wrote ' + object.spec.jobName
        + ', since it is older than that rule: delete it and create it anew'
      reason: Forbidden
{{- end -}}
