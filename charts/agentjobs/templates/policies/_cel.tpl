{{/* CEL that more than one policy uses. */}}

{{/* The user name of the operator: that of the account which its pods run as. */}}
{{- define "agentjobs.cel.operator" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "agentjobs.fullname" . }}
{{- end -}}

{{/*
True of the operator, and of what Kubernetes itself does: its controllers, which also delete namespaces and collect garbage, its nodes,
and its control plane.
*/}}
{{- define "agentjobs.cel.isKubernetes" -}}
request.userInfo.username in ['{{ include "agentjobs.cel.operator" . }}',
'system:kube-controller-manager', 'system:kube-scheduler', 'system:apiserver']
|| request.userInfo.groups.exists(group, group in ['system:serviceaccounts:kube-system', 'system:nodes'])
{{- end -}}

{{/* True of those with the verb `bypass`. Cluster administrators have it, since they have every verb; the chart gives it to nobody. */}}
{{- define "agentjobs.cel.mayBypass" -}}
authorizer.group('agentjobs.dev').resource('scheduledagentjobs').namespace(request.namespace).check('bypass').allowed()
{{- end -}}

{{/* True of an update of a job that changes what is approved. Pausing a job, or keeping fewer of its records, changes nothing of that. */}}
{{- define "agentjobs.cel.contentChanged" -}}
(!object.spec.all(field, field in ['suspend', 'history'] || field in oldObject.spec && object.spec[field] == oldObject.spec[field])
|| !oldObject.spec.all(field, field in ['suspend', 'history'] || field in object.spec))
{{- end -}}
