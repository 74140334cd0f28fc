#include "compositor/protocols/linux_dmabuf.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <format>
#include <vector>

#include "compositor/protocols/dmabuf_params.h"
#include "compositor/protocols/protocol_error.h"
#include "linux-dmabuf-v1-server-protocol.h"
#include "protected-path/base/log.h"
#include "weston-restricted-buffer-server-protocol.h"

namespace vitrine {
namespace {

constexpr uint32_t dmabufVersion = 5;

/** One entry of the feedback's format table, in the protocol's layout. */
struct TableEntry {
  uint32_t format;
  uint32_t padding;
  uint64_t modifier;
};

const struct zwp_linux_dmabuf_feedback_v1_interface feedbackImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
};

LinuxDmabuf& ownerOf(wl_resource* resource) {
  return *static_cast<LinuxDmabuf*>(wl_resource_get_user_data(resource));
}

} // namespace

/** The format table of dma-buf feedback: a sealed file, and each tranche's indices into it. */
struct LinuxDmabuf::FormatTable {
  UniqueFd file;
  uint32_t sizeBytes = 0;
  std::vector<FormatModifier> entries;
  std::vector<uint16_t> scanout;
  std::vector<uint16_t> sampled;

  uint16_t indexOf(FormatModifier format) {
    const auto found = std::ranges::find(entries, format);
    if (found != entries.end()) return static_cast<uint16_t>(found - entries.begin());
    entries.push_back(format);
    return static_cast<uint16_t>(entries.size() - 1);
  }

  Result<> write() {
    std::vector<TableEntry> rows;
    for (const FormatModifier& entry : entries)
      rows.push_back({entry.fourcc, 0, entry.modifier});
    sizeBytes = static_cast<uint32_t>(rows.size() * sizeof(TableEntry));
    file.reset(::memfd_create("dmabuf-format-table", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) return systemError("memfd_create", "dma-buf format table");
    if (::write(file.get(), rows.data(), sizeBytes) != static_cast<ssize_t>(sizeBytes)) {
      return systemError("write", "dma-buf format table");
    }
    ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    return {};
  }
};

LinuxDmabuf::LinuxDmabuf(wl_display& display, const Machine& machine)
    : display_(display), machine_(machine), table_(std::make_unique<FormatTable>()) {
  for (const FormatModifier& format : machine_.renderer.sampledFormats())
    table_->sampled.push_back(table_->indexOf(format));
  for (const Plane& plane : machine_.display.planes()) {
    for (const FormatModifier& format : plane.formats) {
      if (formatInfo(format.fourcc) == nullptr) continue; // its layout could not be checked
      const uint16_t index = table_->indexOf(format);
      if (std::ranges::find(table_->scanout, index) == table_->scanout.end()) table_->scanout.push_back(index);
    }
  }
  if (auto written = table_->write(); !written) log("protocols").error("{}", written.error().text());
  registerBufferResources();
  global_ = wl_global_create(&display_, &zwp_linux_dmabuf_v1_interface, dmabufVersion, this,
                             [](wl_client* client, void* data, uint32_t version, uint32_t id) {
                               static_cast<LinuxDmabuf*>(data)->bind(client, version, id);
                             });
  restrictedGlobal_ = wl_global_create(&display_, &weston_restricted_buffer_v1_interface, 1, this,
                                       [](wl_client* client, void* data, uint32_t version, uint32_t id) {
                                         static_cast<LinuxDmabuf*>(data)->bindRestricted(client, version, id);
                                       });
}

LinuxDmabuf::~LinuxDmabuf() {
  wl_global_destroy(restrictedGlobal_);
  wl_global_destroy(global_);
}

dev_t LinuxDmabuf::mainDevice() const {
  const std::string& node = machine_.renderer.device().renderNode;
  struct stat status{};
  return !node.empty() && ::stat(node.c_str(), &status) == 0 ? status.st_rdev : machine_.display.deviceNumber();
}

void LinuxDmabuf::createFeedback(wl_client* client, wl_resource* resource, uint32_t id) {
  wl_resource* feedback =
      wl_resource_create(client, &zwp_linux_dmabuf_feedback_v1_interface, wl_resource_get_version(resource), id);
  if (feedback == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(feedback, &feedbackImpl, nullptr, nullptr);
  ownerOf(resource).sendFeedback(feedback);
}

void LinuxDmabuf::bind(wl_client* client, uint32_t version, uint32_t id) {
  static const struct zwp_linux_dmabuf_v1_interface impl = {
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
      .create_params = [](wl_client* caller, wl_resource* resource,
                          uint32_t params) { DmabufParams::create(ownerOf(resource), caller, resource, params); },
      .get_default_feedback = createFeedback,
      // Every surface may be put on a plane, so the scanout tranche comes first for all of them.
      .get_surface_feedback = [](wl_client* caller, wl_resource* resource, uint32_t feedbackId,
                                 wl_resource*) { createFeedback(caller, resource, feedbackId); },
  };
  wl_resource* resource = wl_resource_create(client, &zwp_linux_dmabuf_v1_interface, static_cast<int>(version), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, this, nullptr);
  if (version >= ZWP_LINUX_DMABUF_V1_GET_DEFAULT_FEEDBACK_SINCE_VERSION) return;
  for (const FormatModifier& entry : table_->entries) {
    if (version >= ZWP_LINUX_DMABUF_V1_MODIFIER_SINCE_VERSION) {
      zwp_linux_dmabuf_v1_send_modifier(resource, entry.fourcc, static_cast<uint32_t>(entry.modifier >> 32),
                                        static_cast<uint32_t>(entry.modifier));
    } else {
      zwp_linux_dmabuf_v1_send_format(resource, entry.fourcc);
    }
  }
}

void LinuxDmabuf::bindRestricted(wl_client* client, uint32_t version, uint32_t id) {
  static const struct weston_restricted_buffer_v1_interface impl = {
      .enable =
          [](wl_client*, wl_resource* resource, wl_resource* paramsResource) {
            DmabufParams* params = DmabufParams::from(paramsResource);
            if (params == nullptr) return; // cannot happen: every params object of this display is ours
            if (params->used) {
              postError(resource, WESTON_RESTRICTED_BUFFER_V1_ERROR_PARAMS_ALREADY_USED,
                        invalid("claim", "protected buffer", "these params have made a wl_buffer already").error());
            } else if (params->claimed) {
              postError(resource, WESTON_RESTRICTED_BUFFER_V1_ERROR_ALREADY_SET,
                        invalid("claim", "protected buffer", "these params are claimed already").error());
            }
            params->claimed = true;
          },
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
  };
  wl_resource* resource =
      wl_resource_create(client, &weston_restricted_buffer_v1_interface, static_cast<int>(version), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, this, nullptr);
}

void LinuxDmabuf::sendFeedback(wl_resource* feedback) const {
  const auto sendTranche = [&](dev_t device, std::span<const uint16_t> indices, uint32_t flags) {
    if (indices.empty()) return;
    wl_array devices{sizeof device, sizeof device, &device};
    zwp_linux_dmabuf_feedback_v1_send_tranche_target_device(feedback, &devices);
    zwp_linux_dmabuf_feedback_v1_send_tranche_flags(feedback, flags);
    wl_array list{indices.size_bytes(), indices.size_bytes(), const_cast<uint16_t*>(indices.data())};
    zwp_linux_dmabuf_feedback_v1_send_tranche_formats(feedback, &list);
    zwp_linux_dmabuf_feedback_v1_send_tranche_done(feedback);
  };
  dev_t gpu = mainDevice();
  wl_array gpuBytes{sizeof gpu, sizeof gpu, &gpu};
  zwp_linux_dmabuf_feedback_v1_send_format_table(feedback, table_->file.get(), table_->sizeBytes);
  zwp_linux_dmabuf_feedback_v1_send_main_device(feedback, &gpuBytes);
  sendTranche(machine_.display.deviceNumber(), table_->scanout, ZWP_LINUX_DMABUF_FEEDBACK_V1_TRANCHE_FLAGS_SCANOUT);
  sendTranche(gpu, table_->sampled, 0);
  zwp_linux_dmabuf_feedback_v1_send_done(feedback);
}

Result<DmabufBuffer*> LinuxDmabuf::admit(DmabufAttributes attributes, bool claimed) {
  counters_.refused++; // undone below if the buffer is admitted
  auto dmabuf = Dmabuf::create(std::move(attributes));
  if (!dmabuf) return std::unexpected(dmabuf.error());
  if (auto inspected = machine_.inspector.inspect(*dmabuf, claimed); !inspected) {
    return std::unexpected(inspected.error());
  }
  const Evidence evidence = dmabuf->evidence();
  const FormatModifier format{dmabuf->fourcc(), dmabuf->modifier()};
  if (std::ranges::find(table_->entries, format) == table_->entries.end()) {
    return refused(Refusal::ModifierUnsupported, "admit", dmabuf->describe(),
                   "use a format and modifier of the feedback");
  }
  DmabufBuffer* buffer = DmabufBuffer::create(std::move(*dmabuf));
  const auto& texture = buffer->texture(machine_.renderer);
  if (!buffer->dmabuf().noMap() && !texture && !buffer->framebuffer(machine_.display, false)) {
    const Error error = texture.error();
    wlr_buffer_drop(buffer->base());
    return std::unexpected(error);
  }
  counters_.refused--;
  counters_.accepted++;
  if (evidence != Evidence::None) {
    counters_.protectedBuffers++;
    counters_.claimsWithoutEvidence += evidence == Evidence::Claimed ? 1 : 0;
    audit().info("buffer.admitted {} gpu={}", buffer->dmabuf().describe(),
                 texture ? refusalName((*texture)->refusal()) : refusalName(refusalOf(texture.error(), Refusal::None)));
  }
  return buffer;
}

} // namespace vitrine
