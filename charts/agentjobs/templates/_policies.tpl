{{/*
The admission policies, as one YAML list of {apiVersion, kind, name, spec}, bindings included. `admission.yaml` makes objects of them, and the
operator gets the same list, so that it can tell whether they are in force. Whatever the API server would fill in is therefore written out.
*/}}

{{- define "agentjobs.operator" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "agentjobs.fullname" . }}
{{- end -}}

{{/* CEL: the operator, and what Kubernetes itself does: its controllers (namespace deletion and garbage collection too), nodes, control plane. */}}
{{- define "agentjobs.isKubernetes" -}}
request.userInfo.username in ['{{ include "agentjobs.operator" . }}', 'system:kube-controller-manager', 'system:kube-scheduler', 'system:apiserver']
|| request.userInfo.groups.exists(group, group in ['system:serviceaccounts:kube-system', 'system:nodes'])
{{- end -}}

{{/* CEL: has the custom verb `bypass`. Cluster administrators do, since they have every verb; nobody else is given it. */}}
{{- define "agentjobs.mayBypass" -}}
authorizer.group('agentjobs.dev').resource('scheduledagentjobs').namespace(request.namespace).check('bypass').allowed()
{{- end -}}

{{/* CEL: the part of a job's spec that is approved is not as before. */}}
{{- define "agentjobs.contentChanged" -}}
(!object.spec.all(field, field in ['suspend', 'history'] || field in oldObject.spec && object.spec[field] == oldObject.spec[field])
|| !oldObject.spec.all(field, field in ['suspend', 'history'] || field in object.spec))
{{- end -}}

{{/* Takes (list group operations resources), or a list of such lists, and a label that the object has or had. */}}
{{- define "agentjobs.matches" -}}
namespaceSelector: {}
objectSelector:
  {{- if .label }}
  matchExpressions:
    - key: {{ .label }}
      operator: Exists
  {{- else }} {}
  {{- end }}
matchPolicy: Equivalent
resourceRules:
  {{- range .rules }}
  - apiGroups: [{{ index . 0 | quote }}]
    apiVersions: ["*"]
    operations: [{{ index . 1 | join ", " }}]
    resources: [{{ index . 2 | join ", " }}]
    scope: "*"
  {{- end }}
{{- end -}}

{{/* MutatingAdmissionPolicy is stable since Kubernetes 1.36; before, an administrator has to switch its beta on. */}}
{{- define "agentjobs.mutatingVersion" -}}
{{- $beta := "admissionregistration.k8s.io/v1beta1" -}}
{{- if not (semverCompare "<1.36.0-0" .Capabilities.KubeVersion.Version) -}}
admissionregistration.k8s.io/v1
{{- else if or (not .Values.approval.stamp) (.Capabilities.APIVersions.Has (printf "%s/MutatingAdmissionPolicy" $beta)) -}}
{{ $beta }}
{{- else -}}
{{- fail "this cluster serves no MutatingAdmissionPolicy (Kubernetes 1.36, or its beta switched on): set approval.stamp=false; then whoever approves writes their own name into spec.approvedBy, and nobody else's is accepted" -}}
{{- end -}}
{{- end -}}

{{- define "agentjobs.policies" -}}
{{- $name := include "agentjobs.fullname" . -}}
{{- $mutating := include "agentjobs.mutatingVersion" . -}}
{{- if and .Values.approval.requireSecondPerson (not .Values.approval.stamp) -}}
{{- fail "approval.requireSecondPerson needs approval.stamp: only a name that the server writes says who changed a job last" -}}
{{- end -}}

{{- /* Who approves. */}}
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicy
  name: {{ $name }}-approvals
  spec:
    failurePolicy: Fail
    matchConstraints:
      {{- $decisions := list (list "agentjobs.dev" (list "CREATE" "UPDATE" "DELETE") (list "agentjobapprovals" "packageapprovals")) }}
      {{- include "agentjobs.matches" (dict "rules" $decisions) | nindent 6 }}
    matchConditions:
      - name: not-cleaned-up-by-kubernetes
        expression: >-
          request.operation == 'CREATE' || request.userInfo.username == '{{ include "agentjobs.operator" . }}' || !(
          {{- include "agentjobs.isKubernetes" . | nindent 10 }})
    variables:
      - name: approval
        expression: "request.operation == 'DELETE' ? oldObject : object"
      - name: packages
        expression: request.resource.resource == 'packageapprovals'
      - name: subject
        expression: "variables.packages ? 'packages' : 'scheduledagentjobs/' + variables.approval.spec.jobName"
    validations:
      - expression: request.userInfo.username != '{{ include "agentjobs.operator" . }}'
        message: the operator carries out what people decide and decides nothing itself
        reason: Forbidden
      - expression: "!(('system:serviceaccounts:' + request.namespace) in request.userInfo.groups)"
        message: >-
          a service account cannot decide in its own namespace: whoever may edit there can act as it.
          Decide as a person, or through a service account of another namespace
        reason: Forbidden
      - expression: >-
          variables.packages
          ? authorizer.group('agentjobs.dev').resource('packages').namespace(request.namespace).check('approve').allowed()
          : authorizer.group('agentjobs.dev').resource('scheduledagentjobs').namespace(request.namespace)
            .name(variables.approval.spec.jobName).check('approve').allowed()
        messageExpression: >-
          request.userInfo.username + ' may not make or withdraw this decision: it needs the verb approve on ' + variables.subject
          + ' (group agentjobs.dev) in namespace ' + request.namespace
        reason: Forbidden
      - expression: >-
          request.operation != 'CREATE'
          || has(object.spec.approvedBy) && object.spec.approvedBy == request.userInfo.username
        messageExpression: >-
          'spec.approvedBy must be you, ' + request.userInfo.username + '
          {{- if .Values.approval.stamp }}: leave it out, and the server writes it{{ end }}'
        reason: Forbidden
      {{- if .Values.approval.requireSecondPerson }}
      # Whose jobs ask for a package, and so whose approval of it counts for which job, the operator decides.
      - expression: >-
          !variables.packages || request.operation != 'CREATE' || object.spec.decision != 'Approved'
          || !request.userInfo.username.startsWith('system:serviceaccount:')
        message: >-
          approval needs a second person (approval.requireSecondPerson), and a service account is none: a pipeline that applies approvals
          from a repository cannot say who merged them. Approve as a person, or switch requireSecondPerson off
        reason: Forbidden
      {{- end }}
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicyBinding
  name: {{ $name }}-approvals
  spec:
    policyName: {{ $name }}-approvals
    validationActions: [Deny]

{{- /* Who starts and ends runs, and what only the operator says of them. */}}
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicy
  name: {{ $name }}-runs
  spec:
    failurePolicy: Fail
    matchConstraints:
      {{- $runs := list (list "agentjobs.dev" (list "CREATE" "UPDATE" "DELETE") (list "agentjobruns")) }}
      {{- include "agentjobs.matches" (dict "rules" $runs) | nindent 6 }}
    matchConditions:
      - name: not-kubernetes
        expression: >-
          !(
          {{- include "agentjobs.isKubernetes" . | nindent 10 }})
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
      - expression: >-
          authorizer.group('agentjobs.dev').resource('scheduledagentjobs').namespace(request.namespace)
          .name(variables.run.spec.jobName).check('run').allowed()
        messageExpression: >-
          request.userInfo.username + ' may not start or end runs of ' + variables.run.spec.jobName
          + ': it needs the verb run on scheduledagentjobs/' + variables.run.spec.jobName
          + ' (group agentjobs.dev) in namespace ' + request.namespace
        reason: Forbidden
      - expression: request.operation != 'CREATE' || !(variables.type in ['Schedule', 'After'])
        messageExpression: >-
          'spec.trigger.type ' + variables.type + ' is set by the operator; leave spec.trigger out for a manual run'
        reason: Forbidden
      - expression: request.operation != 'CREATE' || variables.by == request.userInfo.username
        messageExpression: >-
          'spec.trigger.by must be you, ' + request.userInfo.username + ', or be left out'
        reason: Forbidden
      - expression: >-
          request.operation == 'DELETE'
          || variables.marks.all(key, !key.startsWith('agentjobs.dev/')
          || key in variables.oldMarks && variables.marks[key] == variables.oldMarks[key])
          && variables.oldMarks.all(key, !key.startsWith('agentjobs.dev/') || key in variables.marks)
        message: "metadata.annotations: those that begin with agentjobs.dev/ are written by the operator only"
        reason: Forbidden
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
      # Whoever had such a name first would hold up the record of the run before.
      - expression: request.operation != 'CREATE' || !object.metadata.?name.orValue('').matches('-a[0-9a-f]{9}$')
        message: >-
          metadata.name: names like report-a012345678, which end in "-a" and nine hex digits, are those of runs that follow another run,
          which the operator starts; choose another
        reason: Forbidden
      # Garbage collection and deletion in the foreground come from Kubernetes itself; taking one off is for everybody who may end runs.
      - expression: >-
          request.operation == 'DELETE' || object.metadata.?finalizers.orValue([]).all(name,
          request.operation == 'UPDATE' && name in oldObject.metadata.?finalizers.orValue([]))
        message: "metadata.finalizers: a record goes when it is deleted; leave the finalizer out"
        reason: Forbidden
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicyBinding
  name: {{ $name }}-runs
  spec:
    policyName: {{ $name }}-runs
    validationActions: [Deny]

{{- /* What jobs and runs report. */}}
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicy
  name: {{ $name }}-status
  spec:
    failurePolicy: Fail
    matchConstraints:
      {{- $status := list (list "agentjobs.dev" (list "UPDATE") (list "scheduledagentjobs/status" "agentjobruns/status")) }}
      {{- include "agentjobs.matches" (dict "rules" $status) | nindent 6 }}
    matchConditions:
      - name: not-the-operator
        expression: request.userInfo.username != '{{ include "agentjobs.operator" . }}'
    validations:
      - expression: {{ include "agentjobs.mayBypass" . }}
        message: the status of jobs and runs is what the operator saw; nobody else writes it
        reason: Forbidden
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicyBinding
  name: {{ $name }}-status
  spec:
    policyName: {{ $name }}-status
    validationActions: [Deny]

{{- /* What the operator made: recognised by its label, on the object as it was or as it would be. Claims may be used, and deleted, by anybody. */}}
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicy
  name: {{ $name }}-owned
  spec:
    failurePolicy: Fail
    matchConstraints:
      {{- $writes := list "CREATE" "UPDATE" "DELETE" }}
      {{- $core := list "" $writes (list "configmaps" "pods" "pods/status" "pods/ephemeralcontainers" "pods/resize") }}
      {{- $batch := list "batch" $writes (list "cronjobs" "cronjobs/status" "jobs" "jobs/status") }}
      {{- $claims := list "" (list "CREATE" "UPDATE") (list "persistentvolumeclaims" "persistentvolumeclaims/status") }}
      {{- include "agentjobs.matches" (dict "rules" (list $core $batch $claims) "label" "agentjobs.dev/job") | nindent 6 }}
    matchConditions:
      # Of claims and ConfigMaps Kubernetes itself makes none of ours; it would make a claim of ours of a pod's ephemeral volume.
      - name: not-kubernetes
        expression: >-
          request.operation == 'CREATE' && request.resource.resource in ['configmaps', 'persistentvolumeclaims']
          && request.userInfo.username != '{{ include "agentjobs.operator" . }}'
          || !(
          {{- include "agentjobs.isKubernetes" . | nindent 10 }})
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
      # Networks and others annotate every pod, some of them by its status.
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
      # Whoever may deny what runs can stop it without the operator: suspend a CronJob, delete it, or delete a Job.
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
          variables.annotated || variables.used || {{ include "agentjobs.mayBypass" . }}
          || variables.stops && authorizer.group('agentjobs.dev').resource('scheduledagentjobs').namespace(request.namespace)
          .name(oldObject.metadata.labels['agentjobs.dev/job']).check('approve').allowed()
        message: >-
          what carries the label agentjobs.dev/job belongs to the operator: only it and Kubernetes itself may create, change or delete it.
          Change the ScheduledAgentJob instead; to end a run, set spec.cancel of its AgentJobRun
        reason: Forbidden
      # The operator reads what it knows of its pods and claims in bounded memory: nobody makes one of them larger than that.
      - expression: >-
          !(variables.annotated || variables.used) || {{ include "agentjobs.mayBypass" . }}
          || variables.marks.size() + object.metadata.?labels.orValue({}).size() + object.metadata.?finalizers.orValue([]).size() <= 200
          && object.metadata.?managedFields.orValue([]).size() <= 30
        message: >-
          metadata: what the operator made has at most 200 annotations, labels and finalizers together, and at most 30 field managers
        reason: Forbidden
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicyBinding
  name: {{ $name }}-owned
  spec:
    policyName: {{ $name }}-owned
    validationActions: [Deny]

{{- /* What Kubernetes' controllers would make for somebody: they put the labels of a template on what they create. */}}
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicy
  name: {{ $name }}-templates
  spec:
    failurePolicy: Fail
    matchConstraints:
      {{- $made := list "CREATE" "UPDATE" }}
      {{- $old := list "" $made (list "replicationcontrollers" "replicationcontrollers/status" "podtemplates") }}
      {{- $apps := list "apps" $made list }}
      {{- range list "deployments" "replicasets" "statefulsets" "daemonsets" }}
      {{- $apps = list "apps" $made (concat (last $apps) (list . (printf "%s/status" .))) }}
      {{- end }}
      {{- $jobs := list "batch" $made (list "cronjobs" "cronjobs/status" "jobs" "jobs/status") }}
      {{- include "agentjobs.matches" (dict "rules" (list $old $apps $jobs)) | nindent 6 }}
    matchConditions:
      - name: not-kubernetes
        expression: >-
          !(
          {{- include "agentjobs.isKubernetes" . | nindent 10 }})
      # About CronJobs and Jobs that carry the label the policy for what the operator made decides.
      - name: not-the-operators
        expression: >-
          !(request.resource.group == 'batch' && ('agentjobs.dev/job' in object.metadata.?labels.orValue({})
          || request.operation == 'UPDATE' && 'agentjobs.dev/job' in oldObject.metadata.?labels.orValue({})))
    variables:
      - name: spec
        expression: object.?spec.orValue({})
      - name: labels
        expression: >-
          [object.metadata.?labels.orValue({}), object.?template.?metadata.?labels.orValue({}),
          variables.spec.?template.?metadata.?labels.orValue({}), variables.spec.?jobTemplate.?metadata.?labels.orValue({}),
          variables.spec.?jobTemplate.?spec.?template.?metadata.?labels.orValue({})]
          + variables.spec.?volumeClaimTemplates.orValue([]).map(claim, claim.?metadata.?labels.orValue({}))
    validations:
      - expression: >-
          !variables.labels.exists(labels, 'agentjobs.dev/job' in labels) || {{ include "agentjobs.mayBypass" . }}
        message: >-
          the label agentjobs.dev/job is on what the operator made, and on nothing else: take it off, from each template, too
        reason: Forbidden
      - expression: >-
          !object.metadata.?ownerReferences.orValue([]).exists(owner, owner.apiVersion.startsWith('agentjobs.dev/'))
          || {{ include "agentjobs.mayBypass" . }}
        message: "metadata.ownerReferences: what belongs to a job or a run the operator makes; leave the reference out"
        reason: Forbidden
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicyBinding
  name: {{ $name }}-templates
  spec:
    policyName: {{ $name }}-templates
    validationActions: [Deny]

{{- if .Values.approval.stamp }}
{{- /* The requester's name, where it was left out. */}}
- apiVersion: {{ $mutating }}
  kind: MutatingAdmissionPolicy
  name: {{ $name }}-stamp-approvals
  spec:
    failurePolicy: Fail
    reinvocationPolicy: Never
    matchConstraints:
      {{- $new := list (list "agentjobs.dev" (list "CREATE") (list "agentjobapprovals" "packageapprovals")) }}
      {{- include "agentjobs.matches" (dict "rules" $new) | nindent 6 }}
    matchConditions:
      - name: left-out
        expression: "!has(object.spec.approvedBy)"
    mutations:
      - patchType: ApplyConfiguration
        applyConfiguration:
          expression: "Object{spec: Object.spec{approvedBy: request.userInfo.username}}"
- apiVersion: {{ $mutating }}
  kind: MutatingAdmissionPolicyBinding
  name: {{ $name }}-stamp-approvals
  spec:
    policyName: {{ $name }}-stamp-approvals
- apiVersion: {{ $mutating }}
  kind: MutatingAdmissionPolicy
  name: {{ $name }}-stamp-runs
  spec:
    failurePolicy: Fail
    reinvocationPolicy: Never
    matchConstraints:
      {{- $started := list (list "agentjobs.dev" (list "CREATE") (list "agentjobruns")) }}
      {{- include "agentjobs.matches" (dict "rules" $started) | nindent 6 }}
    matchConditions:
      - name: left-out
        expression: >-
          request.userInfo.username != '{{ include "agentjobs.operator" . }}'
          && !has(object.spec.trigger.by)
    mutations:
      - patchType: ApplyConfiguration
        applyConfiguration:
          expression: "Object{spec: Object.spec{trigger: Object.spec.trigger{by: request.userInfo.username}}}"
- apiVersion: {{ $mutating }}
  kind: MutatingAdmissionPolicyBinding
  name: {{ $name }}-stamp-runs
  spec:
    policyName: {{ $name }}-stamp-runs
{{- end }}

{{- if .Values.approval.requireSecondPerson }}
{{- $jobs := list (list "agentjobs.dev" (list "CREATE" "UPDATE") (list "scheduledagentjobs")) }}
{{- /* Who changed the content last. The mark is put back where a manifest lacks it; somebody else's is refused below. */}}
- apiVersion: {{ $mutating }}
  kind: MutatingAdmissionPolicy
  name: {{ $name }}-stamp-jobs
  spec:
    failurePolicy: Fail
    reinvocationPolicy: Never
    matchConstraints:
      {{- include "agentjobs.matches" (dict "rules" $jobs) | nindent 6 }}
    matchConditions:
      - name: changed-or-unmarked
        expression: >-
          request.operation == 'CREATE'
          || {{ include "agentjobs.contentChanged" . | nindent 10 }}
          || !('agentjobs.dev/requested-by' in object.metadata.?annotations.orValue({}))
          && 'agentjobs.dev/requested-by' in oldObject.metadata.?annotations.orValue({})
    mutations:
      - patchType: ApplyConfiguration
        applyConfiguration:
          expression: >-
            Object{metadata: Object.metadata{annotations: {
            'agentjobs.dev/requested-by': request.operation == 'CREATE' || {{ include "agentjobs.contentChanged" . | nindent 12 }}
            ? request.userInfo.username
            : oldObject.metadata.annotations['agentjobs.dev/requested-by']}}}
- apiVersion: {{ $mutating }}
  kind: MutatingAdmissionPolicyBinding
  name: {{ $name }}-stamp-jobs
  spec:
    policyName: {{ $name }}-stamp-jobs
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicy
  name: {{ $name }}-requests
  spec:
    failurePolicy: Fail
    matchConstraints:
      {{- include "agentjobs.matches" (dict "rules" $jobs) | nindent 6 }}
    variables:
      - name: changed
        expression: >-
          request.operation == 'CREATE'
          || {{ include "agentjobs.contentChanged" . | nindent 10 }}
      - name: requester
        expression: object.metadata.?annotations[?'agentjobs.dev/requested-by'].orValue('')
      - name: before
        expression: "request.operation == 'CREATE' ? '' : oldObject.metadata.?annotations[?'agentjobs.dev/requested-by'].orValue('')"
    validations:
      - expression: "variables.requester == (variables.changed ? request.userInfo.username : variables.before)"
        message: >-
          metadata.annotations: agentjobs.dev/requested-by names who changed the content last; the server writes it, and nobody edits it
        reason: Forbidden
      - expression: "!variables.changed || !(('system:serviceaccounts:' + request.namespace) in request.userInfo.groups)"
        message: >-
          approval needs a second person (approval.requireSecondPerson), and whoever may edit here can act as this service account:
          write the job as a user, or through a service account of another namespace
        reason: Forbidden
      - expression: >-
          !variables.changed || !(has(object.spec.script) && has(object.spec.script.configMapKeyRef)
          || has(object.spec.agent) && has(object.spec.agent.configMapKeyRef))
        message: >-
          approval needs a second person (approval.requireSecondPerson), and nobody knows who changed a ConfigMap last:
          write the text inline instead of configMapKeyRef
        reason: Forbidden
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicyBinding
  name: {{ $name }}-requests
  spec:
    policyName: {{ $name }}-requests
    validationActions: [Deny]

{{- /* Evaluated for every job of the namespace: the approval names the one that it is about. */}}
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicy
  name: {{ $name }}-second-person
  spec:
    failurePolicy: Fail
    paramKind:
      apiVersion: agentjobs.dev/v1alpha1
      kind: ScheduledAgentJob
    matchConstraints:
      {{- $approved := list (list "agentjobs.dev" (list "CREATE") (list "agentjobapprovals")) }}
      {{- include "agentjobs.matches" (dict "rules" $approved) | nindent 6 }}
    matchConditions:
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
      # A job that is older than the rule may have one; what is in force of it stays in force.
      - expression: >-
          params.metadata.name != object.spec.jobName
          || !(params.spec.?script.?configMapKeyRef.hasValue() || params.spec.?agent.?configMapKeyRef.hasValue())
        messageExpression: >-
          'approval needs a second person (approval.requireSecondPerson), and nobody knows who changed the ConfigMap of ' + object.spec.jobName
          + ' last: write the text inline instead of configMapKeyRef'
        reason: Forbidden
      - expression: params.metadata.name != object.spec.jobName || variables.requester != request.userInfo.username
        messageExpression: >-
          'approval needs a second person (approval.requireSecondPerson): you, ' + request.userInfo.username + ', changed the content of '
          + object.spec.jobName + ' last, so somebody else has to approve it'
        reason: Forbidden
      - expression: params.metadata.name != object.spec.jobName || variables.requester != ''
        messageExpression: >-
          'approval needs a second person (approval.requireSecondPerson), and nobody knows who wrote ' + object.spec.jobName
          + ', since it is older than that rule: delete it and create it anew'
        reason: Forbidden
- apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicyBinding
  name: {{ $name }}-second-person
  spec:
    policyName: {{ $name }}-second-person
    validationActions: [Deny]
    paramRef:
      selector: {}
      parameterNotFoundAction: Allow
{{- end }}
{{- end -}}
