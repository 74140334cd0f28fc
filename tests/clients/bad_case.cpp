#include "tests/clients/bad_case.h"

#include <drm_fourcc.h>

#include "linux-dmabuf-v1-client-protocol.h"
#include "linux-drm-syncobj-v1-client-protocol.h"
#include "weston-restricted-buffer-client-protocol.h"
#include "xdg-shell-client-protocol.h"

namespace vitrine {
namespace {

// 640 x 360 NV12 as layoutFor() lays it out: the chroma plane follows the 360 rows.
constexpr uint32_t stride = 640;
constexpr uint32_t chromaOffset = stride * 360;
constexpr int32_t width = 640;
constexpr int32_t height = 360;
constexpr std::string_view nothing;

BadAnswer paramsError(uint32_t code) {
  return {"protocol-error", "zwp_linux_buffer_params_v1", code};
}
BadAnswer claimError(uint32_t code) {
  return {"protocol-error", "weston_restricted_buffer_v1", code};
}
BadAnswer syncError(uint32_t code) {
  return {"protocol-error", "wp_linux_drm_syncobj_surface_v1", code};
}
BadAnswer syncManagerError(uint32_t code) {
  return {"protocol-error", "wp_linux_drm_syncobj_manager_v1", code};
}
BadAnswer shellError(uint32_t code) {
  return {"protocol-error", "xdg_wm_base", code};
}
BadAnswer failed() {
  return {"failed", "", 0};
}
BadAnswer shown() {
  return {"presented", "", 0};
}

/** A sound case, from which each one departs in one thing. */
BadCase sound(std::string_view name, std::string_view words, BadAnswer expected, std::string_view logged) {
  BadCase one;
  one.name = name;
  one.words = words;
  one.width = width;
  one.height = height;
  one.fourcc = DRM_FORMAT_NV12;
  one.modifier = DRM_FORMAT_MOD_LINEAR;
  one.planes = {{0, 0, stride}, {1, chromaOffset, stride}};
  one.expected = std::move(expected);
  one.logged = logged;
  return one;
}

BadCase with(BadCase one, BadSource source) {
  one.source = source;
  return one;
}
BadCase with(BadCase one, BadAction action) {
  one.action = action;
  return one;
}
BadCase with(BadCase one, std::vector<BadPlane> planes) {
  one.planes = std::move(planes);
  return one;
}
BadCase claimed(BadCase one) {
  one.claim = true;
  return one;
}
BadCase sized(BadCase one, int32_t newWidth, int32_t newHeight) {
  one.width = newWidth;
  one.height = newHeight;
  return one;
}

void addBoundsCases(std::vector<BadCase>& cases) {
  const auto outOfBounds = paramsError(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_OUT_OF_BOUNDS);
  const auto dimensions = paramsError(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_DIMENSIONS);
  const auto add = [&](std::string_view name, std::string_view words, std::vector<BadPlane> planes,
                       std::string_view logged) {
    cases.push_back(with(sound(name, words, outOfBounds, logged), std::move(planes)));
  };
  add("plane-out-of-bounds", "luma: offset + stride x height passes the dma-buf's size",
      {{0, 204800, stride}, {1, 0, stride}},
      "check dma-buf 640x360 NV12 LINEAR, plane 0 (offset 204800, stride 640, dma-buf of 348160 bytes): "
      "LayoutOutOfBounds");
  add("chroma-out-of-bounds", "the same for chroma, whose first row still fits", {{0, 0, stride}, {1, 262144, stride}},
      "check dma-buf 640x360 NV12 LINEAR, plane 1 (offset 262144, stride 640, dma-buf of 348160 bytes): "
      "LayoutOutOfBounds");
  add("offset-beyond-end", "an offset past the dma-buf's end", {{0, 0, stride}, {1, 1U << 30, stride}},
      "check dma-buf 640x360 NV12 LINEAR, plane 1 (offset 1073741824, stride 640, dma-buf of 348160 bytes): "
      "LayoutOutOfBounds");
  add("stride-overflow", "stride x height passes 32 bits to a small number",
      {{0, 0, 0x00b60b61}, {1, chromaOffset, stride}}, // x 360 is 2^32 + 104
      "check dma-buf 640x360 NV12 LINEAR, plane 0 (offset 0, stride 11930465, dma-buf of 348160 bytes): "
      "LayoutOutOfBounds");
  add("stride-maximum", "offset + stride passes 32 bits", {{0, 4096, 0xffffffff}, {1, chromaOffset, stride}},
      "check dma-buf 640x360 NV12 LINEAR, plane 0 (offset 4096, stride 4294967295, dma-buf of 348160 bytes): "
      "LayoutOutOfBounds");
  add("stride-too-small", "a row does not fit its stride", {{0, 0, 64}, {1, chromaOffset, stride}},
      "check dma-buf 640x360 NV12 LINEAR, plane 0 (offset 0, stride 64, dma-buf of 348160 bytes): StrideTooSmall");
  cases.push_back(
      sized(sound("zero-size", "0 x 0 pixels", dimensions, "create wl_buffer of 0x0: a side is not positive"), 0, 0));
  cases.push_back(sized(
      sound("negative-size", "-640 x 360 pixels", dimensions, "create wl_buffer of -640x360: a side is not positive"),
      -640, 360));
  cases.push_back(sized(sound("huge-size", "2^31 - 1 x 2^31 - 1 pixels", dimensions,
                              "check dma-buf 2147483647x2147483647 NV12 LINEAR: SizeInvalid"),
                        INT32_MAX, INT32_MAX));
}

void addFormatCases(std::vector<BadCase>& cases) {
  const auto incomplete = paramsError(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INCOMPLETE);
  const auto index = paramsError(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_PLANE_IDX);
  const auto twice = paramsError(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_PLANE_SET);
  BadCase one = sound("unknown-modifier", "a modifier of no vendor", failed(),
                      "admit 640x360 NV12 0xfd00000000001234, None: ModifierUnsupported");
  one.modifier = 0xfd00000000001234ULL;
  cases.push_back(one);
  one = sound("modifiers-differ", "a modifier for each plane",
              paramsError(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_FORMAT),
              "add plane 1: its modifier is not that of the planes before it");
  one.planes.back().modifier = DRM_FORMAT_MOD_INVALID;
  cases.push_back(one);
  one = sound("format-unknown", "a fourcc that nobody knows",
              paramsError(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_FORMAT),
              "check dma-buf 640x360 ???? LINEAR: FormatUnknown");
  one.fourcc = 0x3f3f3f3f; // `????`
  cases.push_back(one);
  cases.push_back(with(sound("no-planes", "no plane at all", incomplete, "create wl_buffer: no dma-buf for plane 0"),
                       std::vector<BadPlane>{}));
  cases.push_back(with(sound("plane-missing", "NV12 with its luma plane alone", incomplete,
                             "check dma-buf 640x360 NV12 LINEAR with 1 planes: PlaneCountWrong"),
                       {{0, 0, stride}}));
  cases.push_back(with(sound("plane-gap", "planes 0 and 2", incomplete, "create wl_buffer: no dma-buf for plane 1"),
                       {{0, 0, stride}, {2, chromaOffset, stride}}));
  cases.push_back(with(sound("plane-index", "plane 4 of four", index, "add plane 4: its index is over 3"),
                       {{0, 0, stride}, {4, chromaOffset, stride}}));
  cases.push_back(with(sound("plane-set-twice", "plane 0 twice", twice, "add plane 0: it is set already"),
                       {{0, 0, stride}, {0, chromaOffset, stride}}));
}

void addOrderCases(std::vector<BadCase>& cases) {
  const auto used = paramsError(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_ALREADY_USED);
  cases.push_back(with(sound("params-reused", "two buffers of one set of parameters", used,
                             "create wl_buffer: these params have made a wl_buffer already"),
                       BadAction::CreateTwice));
  cases.push_back(with(sound("add-after-create", "a plane added to used parameters", used,
                             "add plane 0: these params have made a wl_buffer already"),
                       BadAction::AddAfterCreate));
  cases.push_back(with(sound("claim-twice", "claimed to be protected twice",
                             claimError(WESTON_RESTRICTED_BUFFER_V1_ERROR_ALREADY_SET),
                             "claim protected buffer: these params are claimed already"),
                       BadAction::ClaimTwice));
  cases.push_back(with(sound("claim-after-create", "claimed to be protected after the wl_buffer was made",
                             claimError(WESTON_RESTRICTED_BUFFER_V1_ERROR_PARAMS_ALREADY_USED),
                             "claim protected buffer: these params have made a wl_buffer already"),
                       BadAction::ClaimAfterCreate));
}

void addSyncCases(std::vector<BadCase>& cases) {
  const auto add = [&cases](std::string_view name, std::string_view words, BadSync sync, BadAnswer expected,
                            std::string_view logged) {
    BadCase one = with(sound(name, words, std::move(expected), logged), BadAction::Synchronise);
    one.sync = sync;
    cases.push_back(std::move(one));
  };
  add("sync-no-acquire-point", "a buffer with a release point alone", BadSync::NoAcquirePoint,
      syncError(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_ACQUIRE_POINT),
      "commit wl_surface: a buffer without an acquire point");
  add("sync-no-release-point", "a buffer with an acquire point alone", BadSync::NoReleasePoint,
      syncError(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_RELEASE_POINT),
      "commit wl_surface: a buffer without a release point");
  add("sync-no-buffer", "points, and no buffer", BadSync::NoBuffer,
      syncError(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_BUFFER),
      "commit wl_surface: a point was set, and no buffer is attached");
  add("sync-single-pixel", "points for a buffer that is no dma-buf", BadSync::SinglePixel,
      syncError(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_UNSUPPORTED_BUFFER),
      "commit wl_surface: the buffer is no dma-buf");
  add("sync-conflict", "a release point that is its acquire point", BadSync::Conflict,
      syncError(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_CONFLICTING_POINTS),
      "commit wl_surface: the release point is not after the acquire point of the same timeline");
  add("sync-surface-gone", "a point set when the surface is destroyed", BadSync::SurfaceGone,
      syncError(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_SURFACE), "set synchronisation point: the wl_surface is gone");
  add("sync-two-objects", "a second object for a surface", BadSync::TwoObjects,
      syncManagerError(WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_SURFACE_EXISTS),
      "synchronise wl_surface: it has a synchronisation object already");
  add("sync-not-a-syncobj", "a memfd in the place of a timeline", BadSync::NotASyncobj,
      syncManagerError(WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_INVALID_TIMELINE),
      "import timeline: the file descriptor is no DRM syncobj's");
  add("sync-object-gone-while-held", "the object destroyed while a commit waits for its fence",
      BadSync::ObjectGoneWhileHeld, {"created", "", 0}, nothing);
  add("sync-all-gone-while-held", "object and surface destroyed while a commit waits for its fence",
      BadSync::AllGoneWhileHeld, {"created", "", 0}, nothing);
}

void addShellCases(std::vector<BadCase>& cases) {
  cases.push_back(with(sound("popup-of-no-window", "a popup whose parent had its xdg_toplevel destroyed",
                             shellError(XDG_WM_BASE_ERROR_INVALID_POPUP_PARENT), nothing),
                       BadAction::PopupOfNoWindow));
  cases.push_back(with(sound("toplevel-twice", "an xdg_toplevel destroyed, and made again on its xdg_surface",
                             {"created", "", 0}, nothing),
                       BadAction::ToplevelTwice));
}

} // namespace

std::vector<BadCase> badCases() {
  constexpr std::string_view notADmabuf = "check dma-buf plane 0 (fd N): NotADmabuf";
  constexpr std::string_view admitted = "buffer.admitted 640x360 NV12 LINEAR, KernelProtected gpu=None";
  std::vector<BadCase> cases;
  cases.push_back(
      with(sound("not-a-dmabuf", "a memfd in the place of a dma-buf", failed(), notADmabuf), BadSource::NotADmabuf));
  cases.push_back(with(with(sound("not-a-dmabuf-immediately", "the same by create_immed, which has no other answer",
                                  paramsError(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_WL_BUFFER), notADmabuf),
                            BadSource::NotADmabuf),
                       BadAction::CreateImmediately));
  cases.push_back(claimed(with(sound("claim-on-ordinary", "an ordinary buffer claimed to be protected", shown(),
                                     "buffer.claim_differs inode=N exporter=system claimed=protected evidence=None"),
                               BadAction::Show)));
  cases.push_back(with(
      with(sound("protected-unflagged", "a protected buffer without a claim", shown(), admitted), BadSource::Protected),
      BadAction::Show));
  addBoundsCases(cases);
  addFormatCases(cases);
  addOrderCases(cases);
  addSyncCases(cases);
  addShellCases(cases);
  cases.push_back(with(with(sound("killed-mid-flip", "SIGKILL between a commit and its flip, with a protected buffer",
                                  {"killed", "", 0}, admitted),
                            BadSource::Protected),
                       BadAction::KillMidFlip));
  return cases;
}

} // namespace vitrine
