#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "compositor/wlr/listener.h"

namespace vitrine {

/** What a client can make the compositor keep for it. */
enum class Quota {
  Descriptors, ///< file descriptors, of dma-bufs, pools and fences
  HeldCommits, ///< of one surface: commits that wait for a fence, or for a parent's commit
  UploadBytes, ///< pixels of wl_shm buffers that its surfaces show
};

/** One client's account. */
struct ClientAccount;

/** Part of a client's quota, given back when this is destroyed. It may outlive the client, as a buffer on the screen does. */
class QuotaShare {
public:
  QuotaShare() = default;
  QuotaShare(QuotaShare&& other) noexcept = default;
  QuotaShare& operator=(QuotaShare&& other) noexcept;
  ~QuotaShare() { giveBack(); }

private:
  friend class ClientQuotas;
  void giveBack();
  std::shared_ptr<ClientAccount> account_; ///< shared with the other shares and the client
  Quota quota_{};
  uint64_t amount_ = 0;
};

/**
 * R8: how much each client may keep open, so that none takes what the others and the compositor need. The table is in the source
 * file. A client that wants more gets wl_display.no_memory, which ends its connection.
 *
 * Objects are counted by interface for each client, whoever implements them.
 */
class ClientQuotas {
public:
  /** For every client of `display` from now on. */
  explicit ClientQuotas(wl_display& display);
  ClientQuotas(const ClientQuotas&) = delete;

  /** Nothing where the client's quota is used up: it has got its error. */
  [[nodiscard]] static std::optional<QuotaShare> take(wl_client& client, Quota quota, uint64_t amount = 1);
  /** Tells a client that its quota is used up (wl_display.no_memory). */
  static void refuse(wl_client& client, Quota quota);
  /** How much of it one client, or for HeldCommits one surface, may take. */
  [[nodiscard]] static uint64_t limitOf(Quota quota);

private:
  Listener<wl_client> newClient_;
};

/**
 * Logs what a client did wrong as a warning of `protocols`. After some lines at once the client's are counted instead, and the next
 * line that is allowed says how many were left out.
 */
void warnOfClient(wl_client& client, std::string_view text);

} // namespace vitrine
