{{/*
What the operator made: CronJobs, Jobs, pods, revisions and sessions, recognised by the label agentjobs.dev/job. An owner reference would
prove nothing, since anybody can write one; so nobody but the operator puts the label on, takes it off, or changes what has it. The
selector below looks at the object as it was and as it would be. What Kubernetes' controllers would label is refused by `templates`.
*/}}
{{- define "agentjobs.policies.owned" -}}
kind: ValidatingAdmissionPolicy
spec:
  matchConstraints:
    objectSelector:
      matchExpressions:
        - key: agentjobs.dev/job
          operator: Exists
    resourceRules:
      # Not pods/eviction: drains have to work. Nor pods/exec and pods/attach, whose requests carry no object with a label.
      - apiGroups: [""]
        operations: [CREATE, UPDATE, DELETE]
        resources: [configmaps, pods, pods/status, pods/ephemeralcontainers, pods/resize]
      - apiGroups: [batch]
        operations: [CREATE, UPDATE, DELETE]
        resources: [cronjobs, cronjobs/status, jobs, jobs/status]
      # Not DELETE: anyone who may delete claims can make a job forget.
      - apiGroups: [""]
        operations: [CREATE, UPDATE]
        resources: [persistentvolumeclaims, persistentvolumeclaims/status]
  matchConditions:
    # Of claims and ConfigMaps Kubernetes itself makes none of ours. It would make a claim with our label for the ephemeral volume of a pod,
    # whose author chose the labels.
    - name: not-kubernetes
      expression: >-
        request.operation == 'CREATE' && request.resource.resource in ['configmaps', 'persistentvolumeclaims']
        && request.userInfo.username != '{{ include "agentjobs.cel.operator" . }}'
        || !(
        {{- include "agentjobs.cel.isKubernetes" . | nindent 8 }})
  variables:
    - name: marks
      expression: "request.operation == 'DELETE' ? {} : object.metadata.?annotations.orValue({})"
    - name: oldMarks
      expression: "request.operation == 'CREATE' ? {} : oldObject.metadata.?annotations.orValue({})"
    - name: subresource
      expression: request.?subResource.orValue('')
    - name: sameName
      expression: >-
        request.operation == 'UPDATE'
        && object.metadata.?labels[?'agentjobs.dev/job'] == oldObject.metadata.?labels[?'agentjobs.dev/job']
        && object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences
    - name: sameMarks
      expression: >-
        variables.marks.all(key, !key.startsWith('agentjobs.dev/')
        || key in variables.oldMarks && variables.marks[key] == variables.oldMarks[key])
        && variables.oldMarks.all(key, !key.startsWith('agentjobs.dev/') || key in variables.marks)
    # Networks and meshes annotate every pod, some of them by its status.
    - name: annotated
      expression: >-
        request.resource.resource == 'pods' && variables.subresource in ['', 'status'] && variables.sameName
        && object.spec == oldObject.spec
        && (variables.subresource == '' || object.?status == oldObject.?status)
        && object.metadata.?labels == oldObject.metadata.?labels
        && object.metadata.?finalizers == oldObject.metadata.?finalizers
        && variables.sameMarks
    # Storage grows and marks claims; what matters of a session is whose it is.
    - name: used
      expression: request.resource.resource == 'persistentvolumeclaims' && variables.sameName
    # Anyone who may deny what runs can stop it without the operator: suspend a CronJob, delete it, or delete a Job.
    - name: stops
      expression: >-
        variables.subresource == '' && (request.operation == 'DELETE' && request.resource.resource in ['cronjobs', 'jobs']
        || request.resource.resource == 'cronjobs' && variables.sameName && object.spec.?suspend.orValue(false)
        && object.metadata.?labels == oldObject.metadata.?labels && object.metadata.?finalizers == oldObject.metadata.?finalizers
        && object.metadata.?annotations == oldObject.metadata.?annotations
        && object.spec.all(field, field == 'suspend' || field in oldObject.spec && object.spec[field] == oldObject.spec[field])
        && oldObject.spec.all(field, field == 'suspend' || field in object.spec))
  validations:
    - expression: >-
        variables.annotated || variables.used || {{ include "agentjobs.cel.mayBypass" . }}
        || variables.stops && authorizer.group('agentjobs.dev').resource('scheduledagentjobs').namespace(request.namespace)
        .name(oldObject.metadata.labels['agentjobs.dev/job']).check('approve').allowed()
      message: >-
        what carries the label agentjobs.dev/job belongs to the operator: only it and Kubernetes itself may create, change or delete it.
        Change the ScheduledAgentJob instead; to end a run, set spec.cancel of its AgentJobRun
      reason: Forbidden
    # The operator reads its pods and claims in bounded memory: nobody makes one of them larger than that.
    - expression: >-
        !(variables.annotated || variables.used) || {{ include "agentjobs.cel.mayBypass" . }}
        || variables.marks.size() + object.metadata.?labels.orValue({}).size() + object.metadata.?finalizers.orValue([]).size() <= 200
        && object.metadata.?managedFields.orValue([]).size() <= 30
      message: >-
        metadata: what the operator made has at most 200 annotations, labels and finalizers together, and at most 30 field managers
      reason: Forbidden
{{- end -}}
