{{/*
Who starts and ends runs, in whose name, and what only the operator says of a run. The verb `run` on the job is needed in addition to the
verb on AgentJobRuns, so that RBAC can limit somebody to some jobs. What the other rules refuse could pass for a run that the operator
made, or would stand in the way of one.
*/}}
{{- define "agentjobs.policies.runs" -}}
kind: ValidatingAdmissionPolicy
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [agentjobs.dev]
        operations: [CREATE, UPDATE, DELETE]
        resources: [agentjobruns]
  matchConditions:
    # The operator records scheduled runs and deletes old records. Garbage collection and the deletion of a namespace delete them, too.
    - name: not-kubernetes
      expression: >-
        !(
        {{- include "agentjobs.cel.isKubernetes" . | nindent 8 }})
  variables:
    - name: run
      expression: "request.operation == 'DELETE' ? oldObject : object"
    # An optional value does not survive being a variable: both have their default here.
    - name: type
      expression: variables.run.spec.?trigger.?type.orValue('Manual')
    - name: by
      expression: variables.run.spec.?trigger.?by.orValue(request.userInfo.username)
    - name: marks
      expression: variables.run.metadata.?annotations.orValue({})
    - name: oldMarks
      expression: "request.operation == 'CREATE' ? {} : oldObject.metadata.?annotations.orValue({})"
  validations:
    # Ending a run needs the same right as starting it.
    - expression: >-
        authorizer.group('agentjobs.dev').resource('scheduledagentjobs').namespace(request.namespace)
        .name(variables.run.spec.jobName).check('run').allowed()
      messageExpression: >-
        request.userInfo.username + ' may not start or end runs of ' + variables.run.spec.jobName
        + ': it needs the verb run on scheduledagentjobs/' + variables.run.spec.jobName
        + ' (group agentjobs.dev) in namespace ' + request.namespace
      reason: Forbidden
    # Nobody gives a run by hand out for one that a schedule or another run started.
    - expression: request.operation != 'CREATE' || !(variables.type in ['Schedule', 'After'])
      messageExpression: >-
        'spec.trigger.type ' + variables.type + ' is set by the operator; leave spec.trigger out for a manual run'
      reason: Forbidden
    # As for approvals: nobody starts a run in another's name.
    - expression: request.operation != 'CREATE' || variables.by == request.userInfo.username
      messageExpression: >-
        'spec.trigger.by must be you, ' + request.userInfo.username + ', or be left out'
      reason: Forbidden
    # The operator notes there which Job is the run's, and relies on it later.
    - expression: >-
        request.operation == 'DELETE'
        || variables.marks.all(key, !key.startsWith('agentjobs.dev/')
        || key in variables.oldMarks && variables.marks[key] == variables.oldMarks[key])
        && variables.oldMarks.all(key, !key.startsWith('agentjobs.dev/') || key in variables.marks)
      message: "metadata.annotations: those that begin with agentjobs.dev/ are written by the operator only"
      reason: Forbidden
    # A record is deleted together with its owner.
    - expression: >-
        request.operation == 'DELETE'
        || (request.operation == 'CREATE'
        ? !object.metadata.?ownerReferences.orValue([]).exists(owner, owner.?controller.orValue(false))
        : object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences)
      message: "metadata.ownerReferences: a run belongs to its job, and the operator says so"
      reason: Forbidden
    # Of an event's digits only the operator can tell whether they are right; that the name is its own job's can be told here.
    - expression: >-
        request.operation != 'CREATE' || !object.metadata.?name.orValue('').matches('-e[0-9a-f]{9}$')
        || variables.type == 'Event' && object.metadata.name.startsWith(object.spec.jobName + '-e')
        && object.metadata.name.size() == object.spec.jobName.size() + 11
      message: >-
        metadata.name: names like report-e012345678, which end in "-e" and nine hex digits, are those of runs that an event of that very
        job starts; choose another
      reason: Forbidden
    # A run that had such a name first would hold up the record of the run before.
    - expression: request.operation != 'CREATE' || !object.metadata.?name.orValue('').matches('-a[0-9a-f]{9}$')
      message: >-
        metadata.name: names like report-a012345678, which end in "-a" and nine hex digits, are those of runs that follow another run,
        which the operator starts; choose another
      reason: Forbidden
    # A finalizer would keep a record forever. Garbage collection and deletion in the foreground come from Kubernetes itself, and anyone who
    # may end runs may take a finalizer off.
    - expression: >-
        request.operation == 'DELETE' || object.metadata.?finalizers.orValue([]).all(name,
        request.operation == 'UPDATE' && name in oldObject.metadata.?finalizers.orValue([]))
      message: "metadata.finalizers: a record goes when it is deleted; leave the finalizer out"
      reason: Forbidden
{{- end -}}
