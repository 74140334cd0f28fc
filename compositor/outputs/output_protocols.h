#pragma once

#include "compositor/outputs/output_manager.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * wlr-output-management-v1, wlr-output-power-management-v1 and wlr-gamma-control-v1: clients see the outputs, and change what is wanted
 * of them. A configuration is tested as a whole, applied as a whole, or leaves everything as it was. A gamma table changes what the
 * panel shows, not what captures have, and is removed when its client goes. On a CRTC without GAMMA_LUT each gamma control fails.
 */
class OutputProtocols {
public:
  /** `outputs` outlives it. */
  OutputProtocols(wl_display& display, OutputManager& outputs);
  OutputProtocols(const OutputProtocols&) = delete;
  OutputProtocols& operator=(const OutputProtocols&) = delete;
  ~OutputProtocols();

private:
  void announce();
  /** Takes `configuration`, as wlroots gives it away. */
  void onConfiguration(wlr_output_configuration_v1& configuration, bool apply);
  void onPower(const wlr_output_power_v1_set_mode_event& event);
  void onGamma(const wlr_gamma_control_manager_v1_set_gamma_event& event);
  [[nodiscard]] Output* outputOf(const wlr_output* base) const;
  [[nodiscard]] WantedOutputs wantedBy(const wlr_output_configuration_v1& configuration) const;

  OutputManager& outputs_;
  wlr_output_manager_v1* manager_;
  wlr_output_power_manager_v1* power_;
  wlr_gamma_control_manager_v1* gamma_;
  Listener<wlr_output_configuration_v1> apply_;
  Listener<wlr_output_configuration_v1> test_;
  Listener<wlr_output_power_v1_set_mode_event> setPower_;
  Listener<wlr_gamma_control_manager_v1_set_gamma_event> setGamma_;
};

} // namespace vitrine
