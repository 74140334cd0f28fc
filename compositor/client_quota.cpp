#include "compositor/client_quota.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <format>
#include <memory>
#include <memory_resource>
#include <unordered_map>

#include "protected-path/base/clock.h"
#include "protected-path/base/log.h"

namespace vitrine {
namespace {

/** How many objects of an interface a client may have at a time, and how many file descriptors each keeps open. */
struct ObjectLimit {
  std::string_view interface;
  uint32_t most;
  uint32_t descriptors;
};

constexpr ObjectLimit objectLimits[] = {
    {"wl_surface", 4096, 0}, // also bounds how deep subsurfaces can nest, which wlroots walks by recursion
    {"wl_buffer", 8192, 0},
    {"wl_shm_pool", 2048, 1},
    {"xdg_toplevel", 512, 0}, // each raise walks all dialogs of a window
    {"xdg_popup", 64, 0},     // nested, each inside the one before
    {"zwp_linux_buffer_params_v1", 256, 0},
    {"wp_linux_drm_syncobj_timeline_v1", 1024, 0},
    {"zwlr_screencopy_frame_v1", 256, 0},
    {"ext_image_copy_capture_session_v1", 256, 0}, // each compares its picture after each frame
};
constexpr uint32_t mostOfOthers = 16384;

constexpr uint64_t mostHeldCommits = 256;
constexpr uint64_t mostUploadBytes = uint64_t{512} << 20; // two windows of 8192 x 8192

/** A quarter of what this process may have open, within reason. */
uint64_t descriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 64;
  return std::clamp<uint64_t>(limit.rlim_cur / 4, 64, 8192);
}

/** Lines that a client may log at once, and how long it takes until it may log one more. */
constexpr double mostLines = 20;
constexpr double linesPerSecond = 1;

} // namespace

struct ClientAccount {
  std::array<uint64_t, 3> used{};
  std::unordered_map<const char*, uint32_t> objects; ///< by interface name, whose address wl_interface has once
  double lines = mostLines;                          ///< that it may still log
  uint64_t linesLeftOut = 0;
  Nanoseconds lastLine = 0;
  std::pmr::unsynchronized_pool_resource counted; ///< memory of CountedObjects: a client makes several with each frame
};

namespace {

/** A wl_listener with its owner: standard layout, the listener first. */
template<typename Owner>
struct Tie {
  wl_listener listener;
  Owner* owner;
  static Owner& ownerOf(wl_listener* listener) { return *reinterpret_cast<Tie*>(listener)->owner; }
};

/** One object that is counted, until it is destroyed. */
struct CountedObject {
  Tie<CountedObject> destroyed{};
  std::shared_ptr<ClientAccount> account;
  uint32_t* count;
  QuotaShare descriptors;
};

/** What ties an account to its client, as long as that exists. */
struct ClientTie {
  Tie<ClientTie> resourceCreated{};
  Tie<ClientTie> gone{};
  wl_client& client;
  std::shared_ptr<ClientAccount> account = std::make_shared<ClientAccount>();

  explicit ClientTie(wl_client& of) : client(of) {}
  void count(wl_resource& resource);
};

void onClientGone(wl_listener* listener, void*) {
  ClientTie& tie = Tie<ClientTie>::ownerOf(listener);
  wl_list_remove(&tie.resourceCreated.listener.link);
  wl_list_remove(&tie.gone.listener.link);
  delete &tie;
}

ClientTie* tieOf(wl_client& client) {
  wl_listener* listener = wl_client_get_destroy_late_listener(&client, onClientGone);
  return listener != nullptr ? &Tie<ClientTie>::ownerOf(listener) : nullptr;
}

const ObjectLimit& limitFor(std::string_view interface) {
  static constexpr ObjectLimit other{"", mostOfOthers, 0};
  const auto found = std::ranges::find(objectLimits, interface, &ObjectLimit::interface);
  return found != std::end(objectLimits) ? *found : other;
}

void refuse(wl_client& client, std::string_view what, uint64_t most) {
  warnOfClient(client, std::format("give a client more than {} of {}: its quota is used up", most, what));
  wl_client_post_no_memory(&client);
}

void ClientTie::count(wl_resource& resource) {
  const char* interface = wl_resource_get_class(&resource);
  const ObjectLimit& limit = limitFor(interface);
  uint32_t& used = account->objects[interface];
  if (used >= limit.most) return refuse(client, interface, limit.most);
  auto descriptors = ClientQuotas::take(client, Quota::Descriptors, limit.descriptors);
  if (!descriptors) return;
  auto* counted = std::pmr::polymorphic_allocator<CountedObject>(&account->counted).allocate(1);
  new (counted) CountedObject{{}, account, &used, std::move(*descriptors)};
  used++;
  counted->destroyed = {{{},
                         [](wl_listener* listener, void*) {
                           CountedObject& object = Tie<CountedObject>::ownerOf(listener);
                           const std::shared_ptr<ClientAccount> payer = object.account; // outlives the object
                           --*object.count;
                           std::destroy_at(&object);
                           std::pmr::polymorphic_allocator<CountedObject>(&payer->counted).deallocate(&object, 1);
                         }},
                        counted};
  wl_resource_add_destroy_listener(&resource, &counted->destroyed.listener);
}

} // namespace

QuotaShare& QuotaShare::operator=(QuotaShare&& other) noexcept {
  if (this != &other) {
    giveBack();
    account_ = std::move(other.account_);
    quota_ = other.quota_;
    amount_ = other.amount_;
  }
  return *this;
}

void QuotaShare::giveBack() {
  if (const auto account = std::move(account_)) account->used[static_cast<size_t>(quota_)] -= amount_;
}

ClientQuotas::ClientQuotas(wl_display& display) {
  const auto watch = [](wl_client* client) {
    auto* tie = new ClientTie(*client);
    tie->gone = {{{}, onClientGone}, tie};
    wl_client_add_destroy_late_listener(client, &tie->gone.listener);
    tie->resourceCreated = {{{},
                             [](wl_listener* listener, void* resource) {
                               Tie<ClientTie>::ownerOf(listener).count(*static_cast<wl_resource*>(resource));
                             }},
                            tie};
    wl_client_add_resource_created_listener(client, &tie->resourceCreated.listener);
  };
  newClient_.connect([&](wl_listener* listener) { wl_display_add_client_created_listener(&display, listener); }, watch);
}

void ClientQuotas::refuse(wl_client& client, Quota quota) {
  constexpr std::array<std::string_view, 3> names{"file descriptors", "commits that wait on a surface",
                                                  "bytes of pixels"};
  vitrine::refuse(client, names[static_cast<size_t>(quota)], limitOf(quota));
}

std::optional<QuotaShare> ClientQuotas::take(wl_client& client, Quota quota, uint64_t amount) {
  QuotaShare share;
  ClientTie* tie = tieOf(client);
  if (tie == nullptr || amount == 0) return share; // a client that is being destroyed
  uint64_t& used = tie->account->used[static_cast<size_t>(quota)];
  if (amount > limitOf(quota) - std::min(used, limitOf(quota))) {
    refuse(client, quota);
    return {};
  }
  used += amount;
  share.account_ = tie->account;
  share.quota_ = quota;
  share.amount_ = amount;
  return share;
}

uint64_t ClientQuotas::limitOf(Quota quota) {
  static const uint64_t descriptors = descriptorLimit();
  switch (quota) {
  case Quota::Descriptors:
    return descriptors;
  case Quota::HeldCommits:
    return mostHeldCommits;
  case Quota::UploadBytes:
    return mostUploadBytes;
  }
  return 0;
}

void warnOfClient(wl_client& client, std::string_view text) {
  ClientTie* tie = tieOf(client);
  if (tie == nullptr) return log("protocols").warn("{}", text);
  ClientAccount& account = *tie->account;
  const Nanoseconds time = now();
  account.lines =
      std::min(mostLines, account.lines + static_cast<double>(time - account.lastLine) / 1e9 * linesPerSecond);
  account.lastLine = time;
  if (account.lines < 1) {
    account.linesLeftOut++;
    return;
  }
  account.lines -= 1;
  if (account.linesLeftOut == 0) return log("protocols").warn("{}", text);
  log("protocols").warn("{} ({} lines about this client were left out)", text, std::exchange(account.linesLeftOut, 0));
}

} // namespace vitrine
