#pragma once

#include <optional>
#include <string>

#include "compositor/wlr/wlroots.h"

namespace vitrine {

/** How a pointer or touchpad behaves; what is empty is libinput's default for the device. */
struct DeviceSettings {
  std::optional<bool> tap;                 ///< a tap on a touchpad is a click
  std::optional<bool> naturalScroll;       ///< content moves with the fingers
  std::optional<bool> leftHanded;          ///< buttons change places
  std::optional<bool> disableWhileTyping;  ///< of touchpads
  std::optional<double> acceleration;      ///< pointer speed, -1 to 1
  std::optional<bool> accelerationProfile; ///< true: adaptive; false: flat
  bool operator==(const DeviceSettings&) const = default;
};

/** Sets what the device can do of it. Does nothing for a device that is not libinput's. */
void applySettings(wlr_input_device& device, const DeviceSettings& settings);

} // namespace vitrine
