#include "compositor/input/device_settings.h"

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

void check(libinput_config_status status, const wlr_input_device& device, const char* what) {
  if (status == LIBINPUT_CONFIG_STATUS_SUCCESS) return;
  log("input").warn("set {} of {}: {}", what, device.name != nullptr ? device.name : "a device",
                    libinput_config_status_to_str(status));
}

/** libinput's default where nothing is set: the device may have another setting from an earlier configuration. */
bool chosen(const std::optional<bool>& setting, int usual) {
  return setting.value_or(usual != 0);
}

void applyAcceleration(libinput_device& handle, wlr_input_device& device, const DeviceSettings& settings) {
  if (libinput_device_config_accel_is_available(&handle) == 0) return;
  libinput_config_accel_profile profile = libinput_device_config_accel_get_default_profile(&handle);
  if (settings.accelerationProfile) {
    profile =
        *settings.accelerationProfile ? LIBINPUT_CONFIG_ACCEL_PROFILE_ADAPTIVE : LIBINPUT_CONFIG_ACCEL_PROFILE_FLAT;
  }
  if (profile != libinput_device_config_accel_get_profile(&handle))
    check(libinput_device_config_accel_set_profile(&handle, profile), device, "acceleration_profile");
  check(libinput_device_config_accel_set_speed(
            &handle, settings.acceleration.value_or(libinput_device_config_accel_get_default_speed(&handle))),
        device, "acceleration");
}

} // namespace

void applySettings(wlr_input_device& device, const DeviceSettings& settings) {
  if (!wlr_input_device_is_libinput(&device)) return;
  libinput_device* handle = wlr_libinput_get_device_handle(&device);
  if (libinput_device_config_tap_get_finger_count(handle) > 0) {
    const bool tap = chosen(settings.tap, libinput_device_config_tap_get_default_enabled(handle));
    check(libinput_device_config_tap_set_enabled(handle,
                                                 tap ? LIBINPUT_CONFIG_TAP_ENABLED : LIBINPUT_CONFIG_TAP_DISABLED),
          device, "tap");
  }
  if (libinput_device_config_scroll_has_natural_scroll(handle) != 0) {
    const bool natural =
        chosen(settings.naturalScroll, libinput_device_config_scroll_get_default_natural_scroll_enabled(handle));
    check(libinput_device_config_scroll_set_natural_scroll_enabled(handle, natural ? 1 : 0), device, "natural_scroll");
  }
  if (libinput_device_config_left_handed_is_available(handle) != 0) {
    const bool left = chosen(settings.leftHanded, libinput_device_config_left_handed_get_default(handle));
    check(libinput_device_config_left_handed_set(handle, left ? 1 : 0), device, "left_handed");
  }
  if (libinput_device_config_dwt_is_available(handle) != 0) {
    const bool disable = chosen(settings.disableWhileTyping, libinput_device_config_dwt_get_default_enabled(handle));
    check(libinput_device_config_dwt_set_enabled(handle,
                                                 disable ? LIBINPUT_CONFIG_DWT_ENABLED : LIBINPUT_CONFIG_DWT_DISABLED),
          device, "disable_while_typing");
  }
  applyAcceleration(*handle, device, settings);
}

} // namespace vitrine
