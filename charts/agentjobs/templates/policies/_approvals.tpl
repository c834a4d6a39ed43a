{{/*
Who decides: who creates, changes or withdraws an AgentJobApproval or a PackageApproval. Deleting counts, since deleting a denial is
approving. RBAC knows "may create approvals", but not "may approve this job". The verb `approve` says that, and this policy asks for it by
the job's name.
*/}}
{{- define "agentjobs.policies.approvals" -}}
kind: ValidatingAdmissionPolicy
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [agentjobs.dev]
        operations: [CREATE, UPDATE, DELETE]
        resources: [agentjobapprovals, packageapprovals]
  matchConditions:
    # Decisions go with their namespace, without anybody deciding. Creating one is a decision, no matter who does it.
    - name: not-cleaned-up-by-kubernetes
      expression: >-
        request.operation == 'CREATE' || request.userInfo.username == '{{ include "agentjobs.cel.operator" . }}' || !(
        {{- include "agentjobs.cel.isKubernetes" . | nindent 8 }})
  variables:
    - name: approval
      expression: "request.operation == 'DELETE' ? oldObject : object"
    - name: packages
      expression: request.resource.resource == 'packageapprovals'
    - name: subject
      expression: "variables.packages ? 'packages' : 'scheduledagentjobs/' + variables.approval.spec.jobName"
  validations:
    # RBAC gives it no right to decide either. Here it is refused by name, whatever rights somebody adds to its account.
    - expression: request.userInfo.username != '{{ include "agentjobs.cel.operator" . }}'
      message: the operator carries out what people decide and decides nothing itself
      reason: Forbidden
    # `edit` can create tokens of each account in its namespace: what one account may do, all of `edit` there may do.
    - expression: "!(('system:serviceaccounts:' + request.namespace) in request.userInfo.groups)"
      message: >-
        a service account cannot decide in its own namespace: whoever may edit there can act as it.
        Decide as a person, or through a service account of another namespace
      reason: Forbidden
    # The verb `create` cannot be limited to some jobs: an approval has no name yet when RBAC checks it.
    - expression: >-
        variables.packages
        ? authorizer.group('agentjobs.dev').resource('packages').namespace(request.namespace).check('approve').allowed()
        : authorizer.group('agentjobs.dev').resource('scheduledagentjobs').namespace(request.namespace)
          .name(variables.approval.spec.jobName).check('approve').allowed()
      messageExpression: >-
        request.userInfo.username + ' may not make or withdraw this decision: it needs the verb approve on ' + variables.subject
        + ' (group agentjobs.dev) in namespace ' + request.namespace
      reason: Forbidden
    # Another's name is refused and not overwritten: anyone who writes a wrong name should learn of it.
    - expression: >-
        request.operation != 'CREATE'
        || has(object.spec.approvedBy) && object.spec.approvedBy == request.userInfo.username
      messageExpression: >-
        'spec.approvedBy must be you, ' + request.userInfo.username + '
        {{- if .Values.approval.stamp }}: leave it out, and the server writes it{{ end }}'
      reason: Forbidden
    {{- if .Values.approval.requireSecondPerson }}
    # Only this much of a second person for packages: whose jobs ask for a package, and so for which jobs an approval of it counts, the
    # operator decides. Approvals of contents have the policy `second-person`.
    - expression: >-
        !variables.packages || request.operation != 'CREATE' || object.spec.decision != 'Approved'
        || !request.userInfo.username.startsWith('system:serviceaccount:')
      message: >-
        approval needs a second person (approval.requireSecondPerson), and a service account is none: a pipeline that applies approvals
        from a repository cannot say who merged them. Approve as a person, or switch requireSecondPerson off
      reason: Forbidden
    {{- end }}
{{- end -}}
