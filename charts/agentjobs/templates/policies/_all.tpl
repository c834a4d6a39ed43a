{{/*
All admission policies and their bindings, as one YAML list of {apiVersion, kind, name, spec}. `admission.yaml` makes objects of it, and the
operator gets the same list, so that it can tell whether they are in force. It compares whole specs, so everything that the API server would
fill in is written out, here and once for all policies.

Each policy has a file of its own with its name, and in it a template `agentjobs.policies.NAME` with
  kind      ValidatingAdmissionPolicy or MutatingAdmissionPolicy
  spec      without what is the same in all of them
  paramRef  only where spec.paramKind is: which parameters its binding takes
*/}}
{{- define "agentjobs.policies" -}}
{{- $mutatingVersion := include "agentjobs.policies.mutatingVersion" . -}}
{{- if and .Values.approval.requireSecondPerson (not .Values.approval.stamp) -}}
{{- fail "approval.requireSecondPerson needs approval.stamp: only a name that the server writes says who changed a job last" -}}
{{- end -}}
{{- $names := list "approvals" "runs" "status" "owned" "templates" -}}
{{- if .Values.approval.stamp -}}
{{- $names = concat $names (list "stamp-approvals" "stamp-runs") -}}
{{- end -}}
{{- if .Values.approval.requireSecondPerson -}}
{{- $names = concat $names (list "stamp-jobs" "requests" "second-person") -}}
{{- end -}}
{{- range $names }}
{{- $policy := include (printf "agentjobs.policies.%s" .) $ | fromYaml }}
{{- /* Helm's fromYaml puts there what it could not read. */}}
{{- with $policy.Error }}{{ fail . }}{{ end }}
{{- $name := printf "%s-%s" (include "agentjobs.fullname" $) . }}
{{- $mutates := eq $policy.kind "MutatingAdmissionPolicy" }}
{{- /* Every namespace, every object unless the policy selects some, and requests for any version of a resource. */}}
{{- $matches := merge $policy.spec.matchConstraints (dict "namespaceSelector" dict "objectSelector" dict "matchPolicy" "Equivalent") }}
{{- range $matches.resourceRules }}
{{- $_ := merge . (dict "apiVersions" (list "*") "scope" "*") }}
{{- end }}
{{- $version := $mutates | ternary $mutatingVersion "admissionregistration.k8s.io/v1" }}
- apiVersion: {{ $version }}
  kind: {{ $policy.kind }}
  name: {{ $name }}
  spec:
    # What cannot be evaluated is refused.
    failurePolicy: Fail
    {{- if $mutates }}
    reinvocationPolicy: Never
    {{- end }}
    {{- toYaml $policy.spec | nindent 4 }}
# It holds for everybody, in every namespace, and refuses.
- apiVersion: {{ $version }}
  kind: {{ $policy.kind }}Binding
  name: {{ $name }}
  spec:
    policyName: {{ $name }}
    {{- if not $mutates }}
    validationActions: [Deny]
    {{- end }}
    {{- with $policy.paramRef }}
    paramRef: {{ toJson . }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* MutatingAdmissionPolicy is stable since Kubernetes 1.36; before, an administrator has to switch its beta on. */}}
{{- define "agentjobs.policies.mutatingVersion" -}}
{{- $beta := "admissionregistration.k8s.io/v1beta1" -}}
{{- if not (semverCompare "<1.36.0-0" .Capabilities.KubeVersion.Version) -}}
admissionregistration.k8s.io/v1
{{- else if or (not .Values.approval.stamp) (.Capabilities.APIVersions.Has (printf "%s/MutatingAdmissionPolicy" $beta)) -}}
{{ $beta }}
{{- else -}}
{{- fail "this cluster serves no MutatingAdmissionPolicy (Kubernetes 1.36, or its beta switched on): set approval.stamp=false; then whoever approves writes their own name into spec.approvedBy, and nobody else's is accepted" -}}
{{- end -}}
{{- end -}}
