#pragma once

#include <cstdint>
#include <vector>

#include "protected-path/kms/kms_device.h"

namespace vitrine {

/** A kernel blob (mode, damage clips). The destructor destroys it. */
class PropertyBlob {
public:
  [[nodiscard]] static Result<PropertyBlob> create(const KmsDevice& device, const void* data, size_t sizeBytes);
  PropertyBlob(PropertyBlob&& other) noexcept;
  PropertyBlob& operator=(PropertyBlob&& other) noexcept;
  ~PropertyBlob();
  [[nodiscard]] uint32_t id() const { return id_; }

private:
  PropertyBlob(int deviceFd, uint32_t id) : deviceFd_(deviceFd), id_(id) {}
  int deviceFd_ = -1; ///< borrowed
  uint32_t id_ = 0;
};

/** Counts of requests to the kernel, per device. */
struct AtomicCounters {
  uint64_t tests = 0;
  uint64_t commits = 0;
  uint64_t failedTests = 0;
  uint64_t failedCommits = 0;
};

/**
 * One atomic request, reused from frame to frame: clear() keeps its memory, so a steady state allocates nothing.
 *
 * The first property that an object does not have poisons the request: test() and commit() fail with that error until
 * clear(), so that an incomplete request is never committed. A passed test is no promise (R7).
 */
class AtomicRequest {
public:
  AtomicRequest(const KmsDevice& device, AtomicCounters& counters);

  void clear();
  void set(const Plane& plane, PlaneProperty property, uint64_t value);
  void set(const Crtc& crtc, CrtcProperty property, uint64_t value);
  void set(const Connector& connector, ConnectorProperty property, uint64_t value);
  /** Turns a plane off: FB_ID 0 and CRTC_ID 0. */
  void disable(const Plane& plane);

  /** The latest value set for a plane's property in this request, or empty. */
  [[nodiscard]] std::optional<uint64_t> value(const Plane& plane, PlaneProperty property) const;

  /** A TEST_ONLY commit: changes nothing. Error: System with the kernel's errno. */
  [[nodiscard]] Result<> test(bool allowModeset);
  /**
   * A nonblocking commit, with a page-flip event that returns `userData`. EBUSY while a flip of the CRTC is pending.
   */
  [[nodiscard]] Result<> commitFlip(bool allowModeset, uint64_t userData);
  /** A blocking commit without an event: waits until it is on the screen. For modesets and for shutting down. */
  [[nodiscard]] Result<> commitBlocking(bool allowModeset);

private:
  struct Entry {
    uint32_t objectId;
    uint32_t propertyId;
    uint64_t value;
  };
  void add(uint32_t objectId, uint32_t propertyId, uint64_t value, const char* what);
  Result<> submit(uint32_t flags, uint64_t userData);

  const KmsDevice& device_;
  AtomicCounters& counters_;
  std::vector<Entry> entries_;
  std::optional<Error> poison_;
  // The arrays of the ioctl: objects, counts, properties, values.
  std::vector<uint32_t> objects_;
  std::vector<uint32_t> counts_;
  std::vector<uint32_t> properties_;
  std::vector<uint64_t> values_;
};

} // namespace vitrine
