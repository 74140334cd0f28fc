#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protected-path/heap/heap_allocator.h"
#include "protected-path/tee/frame_filler.h"
#include "tests/board/clip/clip.h"
#include "tests/board/wayland/wayland_connection.h"

namespace vitrine {

/** Whether buffers are claimed to be protected (weston_restricted_buffer_v1). */
enum class ClaimMode {
  Auto,   ///< where the compositor has the protocol
  Always, ///< an error where it has not
  Never,
};

/** One protected buffer with all that somebody knows it by. */
class ProtectedBuffer {
public:
  enum class State {
    Free,      ///< ours to fill
    Filled,    ///< holds `frame`
    Submitted, ///< the compositor's until it releases it
  };

  ProtectedBuffer(HeapBuffer memory, TeeMemory teeMemory, WaylandPtr<wl_buffer> waylandBuffer);
  ProtectedBuffer(const ProtectedBuffer&) = delete;
  ProtectedBuffer& operator=(const ProtectedBuffer&) = delete;

  [[nodiscard]] const TeeMemory& teeMemory() const { return teeMemory_; }
  [[nodiscard]] wl_buffer* waylandBuffer() const { return waylandBuffer_.get(); }
  [[nodiscard]] const HeapBuffer& memory() const { return memory_; }

  State state = State::Free;
  uint64_t frame = 0;

private:
  static const wl_buffer_listener listener;
  HeapBuffer memory_;
  TeeMemory teeMemory_;
  WaylandPtr<wl_buffer> waylandBuffer_;
};

/** The player's buffers. Never mapped: frames come into them through the TEE alone. */
class ProtectedBuffers {
public:
  /** Fewer cannot play: one is shown while the other is filled. */
  static constexpr size_t minimum = 2;

  /**
   * Heaps that may be asked: all, or the one named `heapName`, which has to be protected as well. Refused(HeapAbsent) with the
   * classes that were looked for, Refused(HeapNoPermission) with the node; Missing where no heap has that name.
   */
  [[nodiscard]] static Result<std::vector<Heap>> chooseHeaps(const ClipHeader& header, const HeapTable& table,
                                                             const std::string& heapName);

  /**
   * Allocates `wanted` buffers, registers each with the TEE and makes its wl_buffer. An exhausted heap gives fewer;
   * less than `minimum` is Refused(HeapExhausted) and says how many there were. `got` counts them either way.
   */
  [[nodiscard]] static Result<ProtectedBuffers> create(const ClipHeader& header, std::span<const Heap> heaps,
                                                       const HeapTable& table, const TeeDevice& device,
                                                       WaylandConnection& connection, bool claim, size_t wanted,
                                                       size_t& got);

  [[nodiscard]] size_t count() const { return buffers_.size(); }
  [[nodiscard]] const std::string& heapName() const { return buffers_.front()->memory().heapName; }
  /** The weakest among them. */
  [[nodiscard]] Evidence evidence() const;

  /** A buffer to fill, or null. */
  [[nodiscard]] ProtectedBuffer* findFree() const;
  /** The filled buffer with the latest frame up to `frame`, or null. */
  [[nodiscard]] ProtectedBuffer* findLatest(uint64_t frame) const;
  /** The filled buffer with the earliest frame, or null. */
  [[nodiscard]] ProtectedBuffer* findEarliest() const;
  /** Frees the filled ones whose frame is before `frame`: too late to be shown. */
  void dropBefore(uint64_t frame);

private:
  std::vector<std::unique_ptr<ProtectedBuffer>> buffers_; ///< libwayland keeps their addresses
};

} // namespace vitrine
