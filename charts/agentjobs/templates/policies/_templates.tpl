{{/*
What Kubernetes' controllers would make for somebody: they put the labels of a template on what they create, and the policy `owned` lets
them. So our label stands in nobody else's template, and nobody else's workload has a job or a run as its owner.
This is evaluated for every workload of the cluster, so Kubernetes, which writes most of them, is left out first.
*/}}
{{- define "agentjobs.policies.templates" -}}
kind: ValidatingAdmissionPolicy
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [""]
        operations: [CREATE, UPDATE]
        resources: [replicationcontrollers, replicationcontrollers/status, podtemplates]
      - apiGroups: [apps]
        operations: [CREATE, UPDATE]
        resources:
          - deployments
          - deployments/status
          - replicasets
          - replicasets/status
          - statefulsets
          - statefulsets/status
          - daemonsets
          - daemonsets/status
      - apiGroups: [batch]
        operations: [CREATE, UPDATE]
        resources: [cronjobs, cronjobs/status, jobs, jobs/status]
  matchConditions:
    - name: not-kubernetes
      expression: >-
        !(
        {{- include "agentjobs.cel.isKubernetes" . | nindent 8 }})
    # About CronJobs and Jobs that carry the label the policy `owned` decides.
    - name: not-the-operators
      expression: >-
        !(request.resource.group == 'batch' && ('agentjobs.dev/job' in object.metadata.?labels.orValue({})
        || request.operation == 'UPDATE' && 'agentjobs.dev/job' in oldObject.metadata.?labels.orValue({})))
  variables:
    - name: spec
      expression: object.?spec.orValue({})
    # Of the object itself, of a PodTemplate's template, of the template of a workload, of both templates of a CronJob, and of the claims
    # of a StatefulSet.
    - name: labels
      expression: >-
        [object.metadata.?labels.orValue({}), object.?template.?metadata.?labels.orValue({}),
        variables.spec.?template.?metadata.?labels.orValue({}), variables.spec.?jobTemplate.?metadata.?labels.orValue({}),
        variables.spec.?jobTemplate.?spec.?template.?metadata.?labels.orValue({})]
        + variables.spec.?volumeClaimTemplates.orValue([]).map(claim, claim.?metadata.?labels.orValue({}))
  validations:
    - expression: >-
        !variables.labels.exists(labels, 'agentjobs.dev/job' in labels) || {{ include "agentjobs.cel.mayBypass" . }}
      message: >-
        the label agentjobs.dev/job is on what the operator made, and on nothing else: take it off, from each template, too
      reason: Forbidden
    - expression: >-
        !object.metadata.?ownerReferences.orValue([]).exists(owner, owner.apiVersion.startsWith('agentjobs.dev/'))
        || {{ include "agentjobs.cel.mayBypass" . }}
      message: "metadata.ownerReferences: what belongs to a job or a run the operator makes; leave the reference out"
      reason: Forbidden
{{- end -}}
