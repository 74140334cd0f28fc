#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protected-path/base/format.h"

namespace vitrine {

/** Where a case's memory comes from. */
enum class BadSource {
  Ordinary,   ///< a dma-buf of an ordinary heap, or of udmabuf where there is none
  Protected,  ///< a dma-buf of a protected heap, not filled
  NotADmabuf, ///< a memfd
};

/** One plane as it is told to the compositor. */
struct BadPlane {
  uint32_t index = 0;
  uint32_t offsetBytes = 0;
  uint32_t strideBytes = 0;
  std::optional<uint64_t> modifier; ///< where it is not the case's
};

/** What a case does with its buffer. */
enum class BadAction {
  Create,            ///< makes the wl_buffer
  CreateImmediately, ///< the same by create_immed, where a refusal is fatal
  CreateTwice,       ///< the same parameters used a second time
  AddAfterCreate,    ///< a plane added to parameters that were used
  ClaimTwice,        ///< weston_restricted_buffer_v1.enable twice
  ClaimAfterCreate,  ///< enable after the wl_buffer was made
  Show,              ///< makes the wl_buffer and a window that shows it
  KillMidFlip,       ///< the same, over and over, and then SIGKILL between commit and flip
  Synchronise,       ///< makes the wl_buffer, and does what BadSync says
  PopupOfNoWindow,   ///< a popup whose parent had its xdg_toplevel destroyed; needs no wl_buffer
  ToplevelTwice, ///< an xdg_surface whose xdg_toplevel is destroyed and made again, shown each time; needs no wl_buffer
};

/** What a case does with linux-drm-syncobj-v1. */
enum class BadSync {
  NoAcquirePoint,      ///< a buffer with a release point alone
  NoReleasePoint,      ///< a buffer with an acquire point alone
  NoBuffer,            ///< both points, and no buffer
  SinglePixel,         ///< both points, for a buffer that is no dma-buf
  Conflict,            ///< a release point that is its acquire point
  TwoObjects,          ///< a second object for a surface
  SurfaceGone,         ///< a point set when the surface is destroyed
  NotASyncobj,         ///< a timeline of a memfd
  ObjectGoneWhileHeld, ///< the object destroyed while a commit waits for its fence, which comes afterwards
  AllGoneWhileHeld,    ///< object and surface destroyed while a commit waits
};

/** What the compositor answers. */
struct BadAnswer {
  std::string outcome;   ///< `protocol-error`, `failed`, `created`, `presented`, `discarded`, `killed`
  std::string interface; ///< of a protocol error
  uint32_t code = 0;
  bool operator==(const BadAnswer&) const = default;
};

/** One thing that no client should do, or that must do no harm. */
struct BadCase {
  std::string_view name;
  std::string_view words;
  BadSource source = BadSource::Ordinary;
  BadAction action = BadAction::Create;
  BadSync sync{}; ///< for BadAction::Synchronise
  bool claim = false;
  int32_t width = 0;
  int32_t height = 0;
  uint32_t fourcc = 0;
  uint64_t modifier = 0;
  std::vector<BadPlane> planes;
  BadAnswer expected;
  /** In the compositor's log, for this case alone, numbers of fds and inodes as N. Empty: no warning at all. */
  std::string_view logged;
};

/** All cases. The buffer behind each is that of a 640 × 360 NV12 picture. */
[[nodiscard]] std::vector<BadCase> badCases();

inline constexpr Size badBufferSize{640, 360};

} // namespace vitrine
