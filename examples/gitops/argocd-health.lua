-- Health of a ScheduledAgentJob for Argo CD: resource.customizations.health.agentjobs.dev_ScheduledAgentJob in argocd-cm.
-- Healthy: what Git says is approved and in force. Suspended: a person has to decide, or has paused it. Degraded: it cannot get into force as
-- it stands. Progressing: the operator tries again by itself. A run that failed is no fault of the deployment, so it is told and changes nothing.
local means = { Stalled = "Degraded", Reconciling = "Progressing" }
local health = { status = "Progressing", message = "the operator has not seen it yet" }
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end
for _, condition in ipairs(status.conditions) do
  if condition.type == "Ready" then
    health.message = condition.message
    if condition.status == "True" then
      health.status = "Healthy"
      if obj.spec.suspend then
        health.status = "Suspended"
        health.message = "paused: no scheduled starts"
      elseif status.phase == "Failed" and status.lastError ~= nil then
        health.message = "in force; the last run failed: " .. status.lastError
      end
    else
      health.status = "Suspended"
    end
  end
end
for _, condition in ipairs(status.conditions) do
  if means[condition.type] and condition.status == "True" then
    health.status = means[condition.type]
  end
end
return health
