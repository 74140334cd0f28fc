#pragma once

#include <memory>

#include "compositor/render/dmabuf_buffer.h"
#include "protected-path/dmabuf/inspector.h"

namespace vitrine {

/** Counts of clients' dma-bufs. */
struct DmabufCounters {
  uint64_t accepted = 0;
  uint64_t refused = 0;
  uint64_t protectedBuffers = 0;
  uint64_t claimsWithoutEvidence = 0;
};

/**
 * zwp_linux_dmabuf_v1 (version 5) and weston_restricted_buffer_v1, by which clients create dma-bufs.
 *
 * An implementation of our own instead of wlroots', because it checks, inspects and admits a buffer (R3): the layout
 * against the real size of every plane, the evidence, then Vulkan, then planes, and for protected buffers the
 * placeholder if both refuse. A client's `weston_restricted_buffer_v1.enable` is a claim: it may tighten a decision,
 * never loosen it. The formats are those that the renderer can sample (main tranche) and those that planes can scan out
 * (scanout tranche).
 */
class LinuxDmabuf {
public:
  struct Machine {
    Renderer& renderer;
    const KmsDevice& display;
    const Inspector& inspector;
  };
  LinuxDmabuf(wl_display& display, const Machine& machine);
  LinuxDmabuf(const LinuxDmabuf&) = delete;
  ~LinuxDmabuf();

  [[nodiscard]] const DmabufCounters& counters() const { return counters_; }
  /** The device on which clients should allocate: the GPU's node, or the display's if the GPU has none (software rasterizers). */
  [[nodiscard]] dev_t mainDevice() const;

private:
  friend struct DmabufParams;
  struct FormatTable;
  void bind(wl_client* client, uint32_t version, uint32_t id);
  void bindRestricted(wl_client* client, uint32_t version, uint32_t id);
  static void createFeedback(wl_client* client, wl_resource* resource, uint32_t id);
  void sendFeedback(wl_resource* feedback) const;
  /** Checks, inspects and admits a buffer. Otherwise the error has the refusal. */
  Result<DmabufBuffer*> admit(DmabufAttributes attributes, bool claimed);

  wl_display& display_;
  Machine machine_;
  std::unique_ptr<FormatTable> table_;
  DmabufCounters counters_;
  wl_global* global_ = nullptr;
  wl_global* restrictedGlobal_ = nullptr;
};

} // namespace vitrine
