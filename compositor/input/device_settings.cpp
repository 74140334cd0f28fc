#include "compositor/input/device_settings.h"

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

void check(libinput_config_status status, const wlr_input_device& device, const char* what) {
  if (status == LIBINPUT_CONFIG_STATUS_SUCCESS) return;
  log("input").warn("set {} of {}: {}", what, device.name != nullptr ? device.name : "a device",
                    libinput_config_status_to_str(status));
}

} // namespace

void applySettings(wlr_input_device& device, const DeviceSettings& settings) {
  if (!wlr_input_device_is_libinput(&device)) return;
  libinput_device* handle = wlr_libinput_get_device_handle(&device);
  if (settings.tap && libinput_device_config_tap_get_finger_count(handle) > 0) {
    check(libinput_device_config_tap_set_enabled(handle, *settings.tap ? LIBINPUT_CONFIG_TAP_ENABLED
                                                                       : LIBINPUT_CONFIG_TAP_DISABLED),
          device, "tap");
  }
  if (settings.naturalScroll && libinput_device_config_scroll_has_natural_scroll(handle) != 0) {
    check(libinput_device_config_scroll_set_natural_scroll_enabled(handle, *settings.naturalScroll ? 1 : 0), device,
          "natural_scroll");
  }
  if (settings.leftHanded && libinput_device_config_left_handed_is_available(handle) != 0)
    check(libinput_device_config_left_handed_set(handle, *settings.leftHanded ? 1 : 0), device, "left_handed");
  if (settings.disableWhileTyping && libinput_device_config_dwt_is_available(handle) != 0) {
    check(libinput_device_config_dwt_set_enabled(handle, *settings.disableWhileTyping ? LIBINPUT_CONFIG_DWT_ENABLED
                                                                                      : LIBINPUT_CONFIG_DWT_DISABLED),
          device, "disable_while_typing");
  }
  if (libinput_device_config_accel_is_available(handle) == 0) return;
  if (settings.accelerationProfile) {
    check(libinput_device_config_accel_set_profile(handle, *settings.accelerationProfile
                                                               ? LIBINPUT_CONFIG_ACCEL_PROFILE_ADAPTIVE
                                                               : LIBINPUT_CONFIG_ACCEL_PROFILE_FLAT),
          device, "acceleration_profile");
  }
  if (settings.acceleration)
    check(libinput_device_config_accel_set_speed(handle, *settings.acceleration), device, "acceleration");
}

} // namespace vitrine
