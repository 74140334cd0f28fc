#pragma once

#include "compositor/client_quota.h"
#include "compositor/protocols/linux_dmabuf.h"

namespace vitrine {

/** One zwp_linux_buffer_params_v1: planes collected until a buffer is asked for, once. */
struct DmabufParams {
  /** A new params object for `client`. */
  static void create(LinuxDmabuf& owner, wl_client* client, wl_resource* factory, uint32_t id);
  /** The object behind a resource, or null where it is of another kind. */
  static DmabufParams* from(wl_resource* resource);

  LinuxDmabuf* owner = nullptr;
  DmabufAttributes attributes;
  bool hasModifier = false;
  bool claimed = false; ///< weston_restricted_buffer_v1.enable
  bool used = false;
  std::array<bool, 4> added{};           ///< which planes
  std::array<QuotaShare, 4> descriptors; ///< for the fd of each plane
  Result<> dmabufs; ///< Refused where one of the fds is no dma-buf: none of it is kept, no buffer will come of it

  void add(wl_resource* resource, UniqueFd fd, uint32_t plane, uint32_t offset, uint32_t stride, uint64_t modifier);
  /** `bufferId` 0: create (asynchronous, answers by event); else create_immed. */
  void createBuffer(wl_client* client, wl_resource* resource, uint32_t bufferId, Size size, uint32_t format,
                    uint32_t flags);

private:
  bool checkComplete(wl_resource* resource, int32_t width, int32_t height) const;
};

/** The wl_buffer of a client for a dma-buf, dropped when the client destroys it. Null where there is no memory. */
[[nodiscard]] wl_resource* createBufferResource(wl_client* client, uint32_t id, DmabufBuffer& buffer);

/** Makes wlroots find the DmabufBuffer behind such a wl_buffer. Call once. */
void registerBufferResources();

} // namespace vitrine
