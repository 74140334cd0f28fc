#include "compositor/outputs/output_protocols.h"

#include <algorithm>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

/** `settings` with what a client wants of this output. */
OutputSettings changedBy(const wlr_output_head_v1_state& head, OutputSettings settings) {
  settings.enabled = head.enabled;
  if (!head.enabled) return settings;
  const bool listed = head.mode != nullptr;
  const int32_t width = listed ? head.mode->width : head.custom_mode.width;
  const int32_t height = listed ? head.mode->height : head.custom_mode.height;
  settings.mode = {static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
  settings.refreshMilliHertz = static_cast<uint32_t>(listed ? head.mode->refresh : head.custom_mode.refresh);
  settings.position = Position{head.x, head.y};
  settings.transform = static_cast<Transform>(head.transform);
  settings.scale = head.scale;
  return settings;
}

/** Whether a client asks for what no output has. */
bool asksForVrr(const wlr_output_configuration_v1& configuration) {
  const wlr_output_configuration_head_v1* head = nullptr;
  wl_list_for_each(head, &configuration.heads, link) {
    if (head->state.enabled && head->state.adaptive_sync_enabled) return true;
  }
  return false;
}

} // namespace

OutputProtocols::OutputProtocols(wl_display& display, OutputManager& outputs)
    : outputs_(outputs), manager_(wlr_output_manager_v1_create(&display)),
      power_(wlr_output_power_manager_v1_create(&display)), gamma_(wlr_gamma_control_manager_v1_create(&display)) {
  apply_.connect(manager_->events.apply, [this](wlr_output_configuration_v1* asked) { onConfiguration(*asked, true); });
  test_.connect(manager_->events.test, [this](wlr_output_configuration_v1* asked) { onConfiguration(*asked, false); });
  setPower_.connect(power_->events.set_mode, [this](wlr_output_power_v1_set_mode_event* event) { onPower(*event); });
  setGamma_.connect(gamma_->events.set_gamma,
                    [this](wlr_gamma_control_manager_v1_set_gamma_event* event) { onGamma(*event); });
  outputs_.onReconciled = [this] { announce(); };
}

OutputProtocols::~OutputProtocols() {
  outputs_.onReconciled = nullptr;
}

Output* OutputProtocols::outputOf(const wlr_output* base) const {
  const auto found =
      std::ranges::find(outputs_.outputs(), base, [](const auto& output) { return output->kms().base(); });
  return found != outputs_.outputs().end() ? found->get() : nullptr;
}

/** Tells the clients what the outputs are now. wlroots sends only what has changed. */
void OutputProtocols::announce() {
  wlr_output_configuration_v1* now = wlr_output_configuration_v1_create();
  if (now == nullptr) return;
  for (const auto& output : outputs_.outputs()) {
    wlr_output_configuration_head_v1* head = wlr_output_configuration_head_v1_create(now, output->kms().base());
    if (head == nullptr) continue;
    wlr_box box{};
    wlr_output_layout_get_box(&outputs_.layout(), output->kms().base(), &box);
    head->state.x = box.x;
    head->state.y = box.y;
    head->state.enabled = output->settings().enabled; // also while its power is off
  }
  wlr_output_manager_v1_set_configuration(manager_, now);
}

WantedOutputs OutputProtocols::wantedBy(const wlr_output_configuration_v1& configuration) const {
  WantedOutputs wanted;
  const wlr_output_configuration_head_v1* head = nullptr;
  wl_list_for_each(head, &configuration.heads, link) {
    if (Output* output = outputOf(head->state.output))
      wanted[output->kms().connector().name] = changedBy(head->state, output->settings());
  }
  return wanted;
}

void OutputProtocols::onConfiguration(wlr_output_configuration_v1& configuration, bool apply) {
  Result<> done = invalid("configure outputs", "adaptive sync", "no output has it");
  if (!asksForVrr(configuration)) {
    const WantedOutputs wanted = wantedBy(configuration);
    done = apply ? outputs_.apply(wanted) : outputs_.test(wanted);
  }
  if (done) {
    wlr_output_configuration_v1_send_succeeded(&configuration);
  } else {
    log("output").info("a client's configuration is refused: {}", done.error().text());
    wlr_output_configuration_v1_send_failed(&configuration);
  }
  wlr_output_configuration_v1_destroy(&configuration);
}

void OutputProtocols::onPower(const wlr_output_power_v1_set_mode_event& event) {
  if (Output* output = outputOf(event.output)) outputs_.setPower(*output, event.mode == ZWLR_OUTPUT_POWER_V1_MODE_ON);
}

/** Without a control, its client has gone or given the table up. */
void OutputProtocols::onGamma(const wlr_gamma_control_manager_v1_set_gamma_event& event) {
  Output* output = outputOf(event.output);
  if (output == nullptr) return; // it goes
  std::vector<GammaEntry> table;
  if (event.control != nullptr) {
    const size_t size = event.control->ramp_size;
    const std::span ramps(event.control->table, size * 3); // red, green, blue
    for (size_t i = 0; i < size; ++i)
      table.push_back({ramps[i], ramps[size + i], ramps[2 * size + i]});
  }
  if (auto done = output->kms().pipe().setGamma(table); !done) {
    log("output").warn("{}", done.error().text());
    if (event.control != nullptr) wlr_gamma_control_v1_send_failed_and_destroy(event.control);
    return;
  }
  wlr_output_schedule_frame(event.output);
}

} // namespace vitrine
