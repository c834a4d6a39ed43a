#!/usr/bin/env bash
# What a pipeline does with a repository of jobs, in three steps:
#   pipeline.sh check           on a proposed change: render, compare with the cluster, print card texts and digests for the review
#   pipeline.sh approve LINK    on the merged change: write an approval for each digest, with the review's link as its reason
#   pipeline.sh deploy          apply the manifests, and wait until what was merged is what runs
# It needs kubectl with kubectl-saj, a namespace in its kubeconfig, and jobs/ and agents/ in the current folder.
set -euo pipefail
rendered=${RENDERED:-rendered}
seconds=${SECONDS_TO_WAIT:-120}

check() {
  kubectl saj render --to "$rendered" > /dev/null
  echo "### What changes"
  # 0: nothing, 1: something, more: it failed
  kubectl diff --server-side --field-manager=pipeline --filename "$rendered" || [ $? -eq 1 ]
  echo "### To approve"
  kubectl saj digest "$rendered"
}

approve() {
  kubectl saj digest "$rendered" | while read -r digest job; do
    kubectl apply --server-side --field-manager=pipeline --filename - <<END
apiVersion: agentjobs.dev/v1alpha1
kind: AgentJobApproval
metadata:
  name: $job-${digest:0:10}-approved
spec:
  jobName: $job
  digest: "$digest"
  decision: Approved
  reason: $1
END
  done
}

deploy() {
  kubectl apply --server-side --field-manager=pipeline --filename "$rendered"
  kubectl saj digest "$rendered" | while read -r digest job; do
    kubectl wait "scheduledagentjob/$job" --for="jsonpath={.status.approval.digest}=$digest" --timeout="${seconds}s"
    kubectl wait "scheduledagentjob/$job" --for=condition=Ready --timeout="${seconds}s"
  done
}

"$@"
