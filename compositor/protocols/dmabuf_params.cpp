#include "compositor/protocols/dmabuf_params.h"

#include <format>
#include <memory>

#include "compositor/protocols/protocol_error.h"
#include "linux-dmabuf-v1-server-protocol.h"
#include "protected-path/base/log.h"
#include "protected-path/dmabuf/is_dmabuf.h"

namespace vitrine {
namespace {

constexpr const char* alreadyUsed = "these params have made a wl_buffer already";

const struct wl_buffer_interface bufferImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
};

/** The wl_buffer's side: a client's hold on a buffer, and the release event that it gets. */
struct BufferResource {
  DmabufBuffer* buffer;
  wl_resource* resource;
  wl_listener release;
};

DmabufBuffer* bufferOf(wl_resource* resource) {
  return static_cast<BufferResource*>(wl_resource_get_user_data(resource))->buffer;
}

const struct zwp_linux_buffer_params_v1_interface paramsImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
    .add =
        [](wl_client*, wl_resource* resource, int32_t fd, uint32_t plane, uint32_t offset, uint32_t stride,
           uint32_t modifierHigh, uint32_t modifierLow) {
          DmabufParams::from(resource)->add(resource, UniqueFd(fd), plane, offset, stride,
                                            (uint64_t{modifierHigh} << 32) | modifierLow);
        },
    .create =
        [](wl_client* client, wl_resource* resource, int32_t width, int32_t height, uint32_t format, uint32_t flags) {
          DmabufParams::from(resource)->createBuffer(
              client, resource, 0, {static_cast<uint32_t>(width), static_cast<uint32_t>(height)}, format, flags);
        },
    .create_immed =
        [](wl_client* client, wl_resource* resource, uint32_t id, int32_t width, int32_t height, uint32_t format,
           uint32_t flags) {
          DmabufParams::from(resource)->createBuffer(
              client, resource, id, {static_cast<uint32_t>(width), static_cast<uint32_t>(height)}, format, flags);
        },
};

/** Which protocol error a refusal is, for the errors that the protocol names. Zero: none of them, an import failure. */
uint32_t protocolError(Refusal refusal) {
  switch (refusal) {
  case Refusal::LayoutOutOfBounds:
  case Refusal::StrideTooSmall:
    return ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_OUT_OF_BOUNDS;
  case Refusal::PlaneCountWrong:
    return ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INCOMPLETE;
  case Refusal::FormatUnknown:
    return ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_FORMAT;
  case Refusal::SizeInvalid:
    return ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_DIMENSIONS;
  default:
    return UINT32_MAX;
  }
}

} // namespace

void registerBufferResources() {
  static const wlr_buffer_resource_interface resourceInterface = {
      .name = "vitrine_dmabuf",
      .is_instance = [](wl_resource* resource) -> bool {
        return wl_resource_instance_of(resource, &wl_buffer_interface, &bufferImpl) != 0;
      },
      .from_resource = [](wl_resource* resource) -> wlr_buffer* { return bufferOf(resource)->base(); },
  };
  wlr_buffer_register_resource_interface(&resourceInterface);
}

wl_resource* createBufferResource(wl_client* client, uint32_t id, DmabufBuffer& buffer) {
  wl_resource* resource = wl_resource_create(client, &wl_buffer_interface, 1, id);
  if (resource == nullptr) return nullptr;
  auto* held = new BufferResource{&buffer, resource, {}};
  held->release.notify = [](wl_listener* listener, void*) {
    BufferResource* self = wl_container_of(listener, static_cast<BufferResource*>(nullptr), release);
    wl_buffer_send_release(self->resource);
  };
  wl_signal_add(&buffer.base()->events.release, &held->release);
  wl_resource_set_implementation(resource, &bufferImpl, held, [](wl_resource* gone) {
    const std::unique_ptr<BufferResource> self(static_cast<BufferResource*>(wl_resource_get_user_data(gone)));
    wl_list_remove(&self->release.link);
    wlr_buffer_drop(self->buffer->base()); // lives on while something locks it: the screen, the GPU
  });
  return resource;
}

void DmabufParams::create(LinuxDmabuf& owner, wl_client* client, wl_resource* factory, uint32_t id) {
  wl_resource* resource =
      wl_resource_create(client, &zwp_linux_buffer_params_v1_interface, wl_resource_get_version(factory), id);
  if (resource == nullptr) {
    wl_client_post_no_memory(client);
    return;
  }
  auto* params = new DmabufParams;
  params->owner = &owner;
  wl_resource_set_implementation(resource, &paramsImpl, params, [](wl_resource* gone) { delete from(gone); });
}

DmabufParams* DmabufParams::from(wl_resource* resource) {
  if (wl_resource_instance_of(resource, &zwp_linux_buffer_params_v1_interface, &paramsImpl) == 0) return nullptr;
  return static_cast<DmabufParams*>(wl_resource_get_user_data(resource));
}

void DmabufParams::add(wl_resource* resource, UniqueFd fd, uint32_t plane, uint32_t offset, uint32_t stride,
                       uint64_t modifier) {
  const std::string object = std::format("plane {}", plane);
  if (used) {
    postError(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_ALREADY_USED, invalid("add", object, alreadyUsed).error());
    return;
  }
  if (plane >= attributes.planes.size()) {
    postError(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_PLANE_IDX,
              invalid("add", object, "its index is over 3").error());
    return;
  }
  if (added[plane]) {
    postError(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_PLANE_SET,
              invalid("add", object, "it is set already").error());
    return;
  }
  if (hasModifier && modifier != attributes.modifier) {
    postError(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_FORMAT,
              invalid("add", object, "its modifier is not that of the planes before it").error());
    return;
  }
  hasModifier = true;
  attributes.modifier = modifier;
  attributes.planeCount++;
  added[plane] = true;
  if (auto is = checkIsDmabuf(fd.get(), plane); !is) {
    if (dmabufs) dmabufs = is;
    return;
  }
  auto share = ClientQuotas::take(*wl_resource_get_client(resource), Quota::Descriptors);
  if (!share) return;
  descriptors[plane] = std::move(*share);
  attributes.planes[plane] = {std::move(fd), offset, stride};
}

bool DmabufParams::checkComplete(wl_resource* resource, int32_t width, int32_t height) const {
  if (width <= 0 || height <= 0) {
    postError(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_DIMENSIONS,
              invalid("create", std::format("wl_buffer of {}x{}", width, height), "a side is not positive").error());
    return false;
  }
  for (unsigned i = 0; i < std::max(attributes.planeCount, 1U); ++i) {
    if (added[i]) continue;
    postError(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INCOMPLETE,
              invalid("create", "wl_buffer", std::format("no dma-buf for plane {}", i)).error());
    return false;
  }
  return true;
}

void DmabufParams::createBuffer(wl_client* client, wl_resource* resource, uint32_t bufferId, Size size, uint32_t format,
                                uint32_t flags) {
  if (used) {
    postError(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_ALREADY_USED,
              invalid("create", "wl_buffer", alreadyUsed).error());
    return;
  }
  used = true;
  if (!checkComplete(resource, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height))) return;
  attributes.size = size;
  attributes.fourcc = format;
  Result<DmabufBuffer*> buffer =
      invalid("create", "wl_buffer", "y_invert, interlaced and bottom_first are not supported");
  if (!dmabufs) {
    buffer = std::unexpected(dmabufs.error());
  } else if (flags == 0) {
    buffer = owner->admit(std::move(attributes), claimed);
  }
  attributes = {};
  if (!buffer) {
    const uint32_t code = protocolError(refusalOf(buffer.error(), Refusal::None));
    if (code != UINT32_MAX) {
      postError(resource, code, buffer.error());
    } else if (bufferId == 0) {
      warnOfClient(*client, buffer.error().text());
      zwp_linux_buffer_params_v1_send_failed(resource);
    } else {
      postError(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_WL_BUFFER, buffer.error());
    }
    return;
  }
  for (QuotaShare& share : descriptors)
    (*buffer)->keep(std::move(share));
  wl_resource* bufferResource = createBufferResource(client, bufferId, **buffer);
  if (bufferResource == nullptr) {
    wlr_buffer_drop((*buffer)->base());
    wl_resource_post_no_memory(resource);
    return;
  }
  if (bufferId == 0) zwp_linux_buffer_params_v1_send_created(resource, bufferResource);
}

} // namespace vitrine
