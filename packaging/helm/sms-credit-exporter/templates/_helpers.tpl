{{- define "sms-credit-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for what Kubernetes adds to the names of a StatefulSet's pods and their revisions. */}}
{{- define "sms-credit-exporter.fullname" -}}
{{- $name := include "sms-credit-exporter.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 48 | trimSuffix "-" }}
{{- end }}

{{- define "sms-credit-exporter.selector" -}}
app.kubernetes.io/name: {{ include "sms-credit-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sms-credit-exporter.labels" -}}
{{ include "sms-credit-exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "sms-credit-exporter.serviceAccount" -}}
{{- default (ternary (include "sms-credit-exporter.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- define "sms-credit-exporter.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag }}
{{- .Values.image.repository }}{{ ternary (printf "@%s" .Values.image.digest) (printf ":%s" $tag) (ne .Values.image.digest "") }}
{{- end }}

{{- define "sms-credit-exporter.scheme" -}}
{{ ternary "https" "http" (ne .Values.existingWebSecret "") }}
{{- end }}
