{{/* One operator serves a cluster, so its objects have fixed names: a second release is refused by helm itself. */}}
{{- define "swiftlet.name" -}}swiftlet-operator{{- end }}

{{- define "swiftlet.selector" -}}
app.kubernetes.io/name: swiftlet-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "swiftlet.labels" -}}
{{ include "swiftlet.selector" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: swiftlet
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "swiftlet.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{ .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "swiftlet.securityContext" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end }}

{{- define "swiftlet.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
