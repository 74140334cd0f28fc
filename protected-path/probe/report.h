#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protected-path/heap/heap_allocator.h"
#include "protected-path/kms/kms_object.h"
#include "protected-path/render/renderer.h"
#include "protected-path/tee/tee_session.h"

namespace vitrine::probe {

/** The buffer that the whole report asks after: a frame of 1080p video. */
inline constexpr Size videoSize{1920, 1080};
inline constexpr Size ultraHdSize{3840, 2160};

/** How much a heap holds while nobody else takes from it. */
struct HeapCapacity {
  std::string heap;                          ///< empty: not measured
  uint64_t largestBytes = 0;                 ///< of one buffer
  unsigned fullHdFrames = 0;                 ///< of 1080p NV12, at a time
  unsigned ultraHdFrames = 0;                ///< of 4K NV12
  static constexpr unsigned mostFrames = 64; ///< more are not counted
};

/** The heaps for such a frame, and, where that was asked for, what came of taking one. */
struct HeapReport {
  bool tried = false; ///< a frame was asked for; else nothing was allocated, and what follows `frameBytes` is empty
  std::string directory;
  std::vector<Heap> heaps;
  HeapChoice choice;
  uint64_t frameBytes = 0;
  /** The heap that the frame came from, or would come from; empty: none. */
  [[nodiscard]] std::string heap() const {
    if (tried) return allocatedFrom;
    return choice.candidates.empty() ? std::string() : choice.candidates.front().heap.name;
  }
  std::string allocatedFrom;          ///< empty where the trial failed
  Evidence evidence = Evidence::None; ///< of the buffer that came
  Refusal allocationRefusal = Refusal::None;
  std::string allocationError; ///< empty where it came
  HeapCapacity capacity;       ///< of the heap that was chosen
};

/** One trusted application that can fill protected buffers. */
struct ApplicationReport {
  std::string name;
  std::string uuid;
  bool answers = false;
  std::string error; ///< why it does not
};

/** One TEE device. */
struct TeeReport {
  std::string node;
  TeeDevice::Version version;
  std::vector<ApplicationReport> applications;
};

struct TeesReport {
  std::vector<TeeReport> devices; ///< in the order in which a player would take them
  std::string error;              ///< why there is none
};

/** A KMS device; its objects are copies, so that a report outlives the device. */
struct KmsReport {
  std::string node;
  std::string error; ///< not empty: it could not be opened, and nothing below is known
  std::string driver;
  bool hasModifiers = false;
  std::vector<Plane> planes;
  std::vector<Crtc> crtcs;
  std::vector<Connector> connectors;
};

struct Report {
  HeapReport heap;
  TeesReport tee;
  std::vector<KmsReport> kms;
  std::vector<VulkanDeviceReport> vulkan;
};

/** One way of showing protected content: whether it is offered, and why or why not, a sentence each. */
struct PathVerdict {
  bool offered = false;
  std::vector<std::string> reasons;
};

struct Verdict {
  PathVerdict composited;
  PathVerdict plane;
  /** `composited`, `plane` or `none`: the most that this machine offers. */
  [[nodiscard]] const char* path() const {
    return composited.offered ? "composited" : plane.offered ? "plane" : "none";
  }
};

/**
 * Looks at this machine and changes nothing. Allocates nothing either, unless `tryHeaps`: then it takes a frame from the heap that
 * is chosen, fills the heap and empties it again.
 */
[[nodiscard]] Report gather(const HeapTable& table, bool tryHeaps);

/**
 * What the facts amount to. Pure. `composited`: a protected heap, a Vulkan device that composes protected memory, a
 * display. `plane`: a protected heap and a plane that takes NV12 on a connected display. Whether the display's hardware
 * may read protected memory only a commit shows.
 */
[[nodiscard]] Verdict judge(const Report& report);

/** Where there is a TEE that can have a protected heap and the kernel has none: the usual reasons. Else empty. Pure. */
[[nodiscard]] std::string missingHeapHint(const Report& report);

/** The KMS planes of `device` that can show such a frame on a connected display, cursors left out. */
[[nodiscard]] std::vector<const Plane*> videoPlanes(const KmsReport& device);

/** For programs: one JSON object with stable keys. */
[[nodiscard]] std::string toJson(const Report& report, const Verdict& verdict);

/** For people. */
[[nodiscard]] std::string toText(const Report& report, const Verdict& verdict);

/** The heap table, one rule a line: class, pattern, source. */
[[nodiscard]] std::string tableText(const HeapTable& table);

/** Words that both forms use. */
[[nodiscard]] std::string teeImplementationName(uint32_t id);
[[nodiscard]] std::vector<std::string> teeCapabilityNames(uint32_t genericCapabilities);

} // namespace vitrine::probe
