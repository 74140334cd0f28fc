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

/** Whether the client claims that its buffers are protected (weston_restricted_buffer_v1). */
enum class ClaimMode {
  Auto,   ///< if the compositor has the protocol
  Always, ///< it is an error if the compositor does not have the protocol
  Never,
};

/** One protected buffer, with its handles in the TEE and in the compositor. */
class ProtectedBuffer {
public:
  enum class State {
    Free,      ///< can be filled
    Filled,    ///< contains `frame`
    Submitted, ///< used by the compositor until it releases it
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

/** The player's buffers. They are never mapped: only the TEE writes frames to them. */
class ProtectedBuffers {
public:
  /** Playing needs two: one is shown while the other is filled. */
  static constexpr size_t minimum = 2;

  /**
   * The heaps to allocate from: all, or the one named `heapName`, which must be protected, too. Errors:
   * Refused(HeapAbsent), which lists the classes that were looked for; Refused(HeapNoPermission), which names the node;
   * Missing if no heap has that name.
   */
  [[nodiscard]] static Result<std::vector<Heap>> chooseHeaps(const ClipHeader& header, const HeapTable& table,
                                                             const std::string& heapName);

  /**
   * Allocates `wanted` buffers, registers each with the TEE, and creates its wl_buffer. An exhausted heap gives fewer.
   * If they are fewer than `minimum`, the error is Refused(HeapExhausted) and says how many there were. `got` is their
   * number, also on error.
   */
  [[nodiscard]] static Result<ProtectedBuffers> create(const ClipHeader& header, std::span<const Heap> heaps,
                                                       const HeapTable& table, const TeeDevice& device,
                                                       WaylandConnection& connection, bool claim, size_t wanted,
                                                       size_t& got);

  [[nodiscard]] size_t count() const { return buffers_.size(); }
  [[nodiscard]] const std::string& heapName() const { return buffers_.front()->memory().heapName; }
  /** The weakest evidence among the buffers. */
  [[nodiscard]] Evidence evidence() const;

  /** A free buffer, or null. */
  [[nodiscard]] ProtectedBuffer* findFree() const;
  /** The filled buffer with the latest frame up to `frame`, or null. */
  [[nodiscard]] ProtectedBuffer* findLatest(uint64_t frame) const;
  /** The filled buffer with the earliest frame, or null. */
  [[nodiscard]] ProtectedBuffer* findEarliest() const;
  /** Frees filled buffers whose frame is before `frame`, and so too late to be shown. */
  void dropBefore(uint64_t frame);

private:
  std::vector<std::unique_ptr<ProtectedBuffer>> buffers_; ///< pointers, since libwayland keeps their addresses
};

} // namespace vitrine
