{{/*
Writes the approver's name where it was left out, so that a file in a repository need not contain it. A name that is already there stays,
and the policy `approvals` refuses another person's.
*/}}
{{- define "agentjobs.policies.stamp-approvals" -}}
kind: MutatingAdmissionPolicy
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [agentjobs.dev]
        operations: [CREATE]
        resources: [agentjobapprovals, packageapprovals]
  matchConditions:
    - name: left-out
      expression: "!has(object.spec.approvedBy)"
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: "Object{spec: Object.spec{approvedBy: request.userInfo.username}}"
{{- end -}}
