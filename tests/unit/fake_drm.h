#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine::test {

/**
 * A DRM driver inside the test process: one CRTC, three planes, a panel and a writeback connector; or two CRTCs with a monitor more.
 *
 * Linking fake_drm.cpp puts ioctl() and fstatfs() of this program in front of libc's; calls on the fake's own fd are
 * answered here, by the uAPI of drm.h and drm_mode.h, all others go on to libc. Dma-bufs are memfds. One instance at a
 * time.
 */
class FakeDrm {
public:
  struct Options {
    bool atomic = true;
    bool import = true;
    bool modifiers = true;
    bool zpos = false;   ///< every plane has zpos, and the overlay lies below the primary
    bool closeFb = true; ///< the kernel knows DRM_IOCTL_MODE_CLOSEFB
    bool brokenInFormats = false;
    /**
     * Two CRTCs, either of which could use any of the planes and any of the connectors; mutable zpos; colour properties; a monitor
     * with 40 modes; and the kernel's rules for atomic commits (fake_drm_rules.cpp).
     */
    bool twoOutputs = false;
  };
  enum Id : uint32_t {
    primary = 30,
    overlay = 31,
    cursor = 32,
    secondPrimary = 33,
    secondOverlay = 34,
    crtc = 40,
    secondCrtc = 41,
    encoder = 50,
    panel = 60,
    writeback = 61,
    monitor = 62
  };

  static constexpr uint32_t gammaSize = 256; ///< entries of a CRTC's gamma table, with two outputs

  explicit FakeDrm(Options options);
  FakeDrm() : FakeDrm(Options()) {}
  FakeDrm(const FakeDrm&) = delete;
  FakeDrm& operator=(const FakeDrm&) = delete;
  ~FakeDrm();

  /** The device's end, to be given to KmsDevice::open(). Once. */
  [[nodiscard]] UniqueFd takeDevice();
  /** A memfd that passes for a dma-buf. */
  [[nodiscard]] UniqueFd makeDmabuf(uint64_t sizeBytes);
  /** NV12 with its planes one behind another, in one dma-buf or two. */
  [[nodiscard]] Dmabuf makeNv12(Size size, bool twoDmabufs);

  /** Bytes that the next read() of the device returns. */
  void sendEvents(std::span<const std::byte> bytes);
  /** The other end goes away, as when the device is unplugged. */
  void unplug() { events_.reset(); }

  /** Completes a flip, as the last accepted commit with an event asked for. */
  void sendFlip(uint32_t crtcId, uint64_t userData);
  /** What a committed or initial property of an object is now; empty where it does not have it. */
  [[nodiscard]] std::optional<uint64_t> value(uint32_t object, std::string_view property) const;
  /** Another master's doing. */
  void setValue(uint32_t object, std::string_view property, uint64_t value);
  /** A blob that another master made. */
  uint32_t makeBlob(std::vector<std::byte> data);
  /** What is in a blob; empty for an id that names no blob. */
  [[nodiscard]] std::span<const std::byte> blobData(uint32_t id) const;
  void setConnected(uint32_t connector, bool connected);

  /** What the driver still holds for this client: empty, or in words. */
  [[nodiscard]] std::string leaks() const;

  /** Called by ioctl(): 0, or the errno. Public for that alone. */
  int answer(unsigned long request, void* argument);
  [[nodiscard]] bool isDevice(int fd) const { return fd == deviceFd_; }
  [[nodiscard]] bool isDmabuf(int fd) const;

  // What the driver is to refuse with; 0 = nothing.
  int testErrno = 0;
  int commitErrno = 0;
  int addFramebufferErrno = 0;
  std::set<uint16_t> refusedWidths; ///< modes of these widths are EINVAL

  // What it saw.
  bool records = true; ///< false: atomic requests are only answered
  struct Setting {
    uint32_t object;
    std::string property;
    uint64_t value;
    bool operator==(const Setting&) const = default;
  };
  std::vector<Setting> lastAtomic;
  uint32_t lastAtomicFlags = 0;
  uint64_t lastAtomicUserData = 0;
  std::map<unsigned long, int> calls; ///< by ioctl request
  std::vector<uint32_t> probed;       ///< connectors, in the order in which they were
  struct Added {
    uint32_t fourcc;
    uint32_t flags;
    uint64_t modifier;
    std::vector<uint32_t> handles;
  };
  std::vector<Added> added;

private:
  struct Property {
    std::string name;
    uint32_t flags = 0;
    std::vector<uint64_t> values;
    std::vector<std::string> enums; ///< value: its place in the list
  };
  struct Object {
    uint32_t type = 0;
    std::vector<std::pair<uint32_t, uint64_t>> properties;
  };
  uint32_t property(const Property& property);
  void give(uint32_t object, const Property& property, uint64_t value);
  uint32_t blob(std::vector<std::byte> data);
  void makePlane(uint32_t id, uint64_t type, uint64_t zpos);
  void makeSecondOutput();
  int checkRules(const std::vector<Setting>& settings, uint32_t flags) const;
  [[nodiscard]] bool isModeset(const std::vector<Setting>& settings) const;
  [[nodiscard]] std::vector<uint32_t> idsOfType(uint32_t type) const;
  int atomic(const drm_mode_atomic& request);
  int describeProperty(drm_mode_get_property& request) const;
  int describeConnector(drm_mode_get_connector& request);
  int answerDevice(unsigned long request, void* argument) const;
  int answerObjects(unsigned long request, void* argument);
  int answerBuffers(unsigned long request, void* argument);

  Options options_;
  int deviceFd_ = -1;
  UniqueFd device_;
  UniqueFd events_;
  std::map<uint32_t, Property> properties_;
  std::map<uint32_t, Object> objects_;
  std::map<uint32_t, std::vector<std::byte>> blobs_;
  size_t ownBlobs_ = 0;
  std::set<uint32_t> framebuffers_;
  std::map<uint32_t, UniqueFd> handles_; ///< GEM handle: its memory
  std::set<uint64_t> dmabufInodes_;
  std::set<uint32_t> disconnected_;
  uint32_t nextId_ = 100;
};

} // namespace vitrine::test
