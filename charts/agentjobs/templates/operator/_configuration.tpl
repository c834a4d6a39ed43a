{{/*
The operator's settings, one document of the kind OperatorConfiguration. Sections with the name of a value are handed over as they are;
what is left out has its default in operator/src/agentjobs/operator/configuration.py.
*/}}
{{- define "agentjobs.configuration" -}}
apiVersion: config.agentjobs.dev/v1alpha1
kind: OperatorConfiguration
runner:
  image: {{ include "agentjobs.image" (list .Values.runner.image .Chart.AppVersion) | quote }}
  imagePullPolicy: {{ .Values.runner.image.pullPolicy }}
  # What the image of runs has; packages in it need no approval.
  inventory:
    {{- .Values.runner.inventory | default (.Files.Get "files/inventory.json" | fromJson) | toYaml | nindent 4 }}
{{ pick .Values "run" "models" "session" "packages" "history" | toYaml }}
approval:
  {{- omit .Values.approval "stamp" | toYaml | nindent 2 }}
process:
  {{- pick .Values.operator "workers" "resyncSeconds" "logLevel" | toYaml | nindent 2 }}
# What has to be in force before the operator starts anything.
policies:
  {{- include "agentjobs.policies" . | fromYamlArray | toYaml | nindent 2 }}
{{- end -}}
