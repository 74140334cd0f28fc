#pragma once

#include <memory>

#include "compositor/render/dmabuf_buffer.h"
#include "protected-path/dmabuf/inspector.h"

namespace vitrine {

/** How clients' dma-bufs were received. */
struct DmabufCounters {
  uint64_t accepted = 0;
  uint64_t refused = 0;
  uint64_t protectedBuffers = 0;
  uint64_t claimsWithoutEvidence = 0;
};

/**
 * zwp_linux_dmabuf_v1 (version 5) and weston_restricted_buffer_v1: where dma-bufs come in.
 *
 * Our own, since here a buffer is checked, inspected and admitted (R3): its layout against its real size for every plane, its
 * evidence, then Vulkan, then planes, and for protected buffers the placeholder as the last answer. A client's
 * `weston_restricted_buffer_v1.enable` is a claim: it tightens, never loosens. Formats are what the renderer samples (main tranche)
 * and what planes scan out (scanout tranche).
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

private:
  friend struct DmabufParams;
  struct FormatTable;
  void bind(wl_client* client, uint32_t version, uint32_t id);
  void bindRestricted(wl_client* client, uint32_t version, uint32_t id);
  static void createFeedback(wl_client* client, wl_resource* resource, uint32_t id);
  void sendFeedback(wl_resource* feedback) const;
  /** Checks, inspects, admits. The error's refusal says why not. */
  Result<DmabufBuffer*> admit(DmabufAttributes attributes, bool claimed);

  wl_display& display_;
  Machine machine_;
  std::unique_ptr<FormatTable> table_;
  DmabufCounters counters_;
  wl_global* global_ = nullptr;
  wl_global* restrictedGlobal_ = nullptr;
};

} // namespace vitrine
