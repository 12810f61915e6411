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

{{/* The page has a Deployment and an account of its own: it needs nothing of what the operator may do. */}}
{{- define "swiftlet.ui.selector" -}}
app.kubernetes.io/name: swiftlet-ui
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "swiftlet.ui.labels" -}}
{{ include "swiftlet.ui.selector" . }}
app.kubernetes.io/component: ui
app.kubernetes.io/part-of: swiftlet
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "swiftlet.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- $own := ternary (printf "%s/operator" .Values.registry) "" (ne .Values.registry "") -}}
{{- $why := "set registry to where you pushed the images (registry=registry.example/swiftlet), or image.repository" -}}
{{ required $why (.Values.image.repository | default $own) }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The ComputeProfile, with images of the registry where the values name none. */}}
{{- define "swiftlet.profile" -}}
{{- $spec := deepCopy .Values.computeProfile.spec -}}
{{- with .Values.registry -}}
{{- $tag := printf "%s%s" $.Chart.AppVersion (ternary "-cuda" "" (eq $.Values.computeProfile.variant "cuda")) -}}
{{- $images := dict "trainer" (printf "%s/trainer:%s" . $tag) "server" (printf "%s/trainer-vllm:%s" . $tag) -}}
{{- $_ := set $spec "images" (merge (dict) ($spec.images | default dict) $images) -}}
{{- end -}}
apiVersion: swiftlet.dev/v1alpha1
kind: ComputeProfile
metadata:
  name: {{ .Values.computeProfile.name }}
  labels:
    {{- include "swiftlet.labels" . | nindent 4 }}
  annotations:
    argocd.argoproj.io/sync-options: SkipDryRunOnMissingResource=true
spec:
  {{- toYaml $spec | nindent 2 }}
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

{{/* To the cluster's DNS and its API server. */}}
{{- define "swiftlet.egress" -}}
- ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
- ports:
    {{- range .apiServer.ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .apiServer.cidrs }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . }}}
    {{- end }}
  {{- end }}
{{- end }}
