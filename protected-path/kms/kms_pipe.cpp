#include "protected-path/kms/kms_pipe.h"

#include <drm_mode.h>

#include <algorithm>
#include <format>

#include "protected-path/kms/neutral_state.h"

namespace vitrine {
namespace {

using P = PlaneProperty;

/** Unique in the process, so that an event of an earlier owner of a CRTC completes nothing. */
uint64_t nextCookie() {
  static uint64_t last = 0;
  return ++last;
}

uint64_t signedValue(int32_t value) {
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}

/** A picture of which nothing has changed; no clip at all would mean that everything has (kernel: "FB_DAMAGE_CLIPS"). */
constexpr drm_mode_rect leastClip{0, 0, 1, 1};

bool isSameClip(const drm_mode_rect& a, const drm_mode_rect& b) {
  return a.x1 == b.x1 && a.y1 == b.y1 && a.x2 == b.x2 && a.y2 == b.y2;
}

} // namespace

KmsPipe::KmsPipe(const KmsDevice& device, const Connector& connector, const Crtc& crtc, std::vector<Plane> planes)
    : device_(device), connector_(connector), crtc_(crtc), request_(device, counters_.atomic) {
  setPlanes(std::move(planes));
}

void KmsPipe::setPlanes(std::vector<Plane> planes) {
  const auto has = [](const std::vector<Plane>& list, const Plane& plane) {
    return std::ranges::contains(list, plane.id, &Plane::id);
  };
  for (const Plane& plane : planes_) {
    if (mode_ && !has(planes, plane)) givenUp_.push_back(plane);
  }
  planes_ = std::move(planes);
  for (std::vector<Plane>* released : {&givenUp_, &turningOff_})
    std::erase_if(*released, [&](const Plane& plane) { return has(planes_, plane); });
  primary_ = static_cast<size_t>(std::ranges::find(planes_, PlaneType::Primary, &Plane::type) - planes_.begin());
  damage_.clear();
  damage_.resize(planes_.size());
  values_.clear();
  for (const Plane& plane : planes_) {
    const KmsPropertyInfo& zpos = plane.properties[P::Zpos];
    PlaneValues values{.blended = plane.properties.enumValue(P::PixelBlendMode, "Pre-multiplied"),
                       .unblended = plane.properties.enumValue(P::PixelBlendMode, "None"),
                       .encoding = {plane.encodingValue(ColorEncoding::Bt601),
                                    plane.encodingValue(ColorEncoding::Bt709),
                                    plane.encodingValue(ColorEncoding::Bt2020)},
                       .range = {plane.rangeValue(ColorRange::Limited), plane.rangeValue(ColorRange::Full)},
                       .zpos = {}};
    // For an opaque framebuffer premultiplied blending is the same picture.
    if (!values.unblended) values.unblended = values.blended;
    if (plane.zpos.isMutable()) values.zpos = zpos.value;
    values_.push_back(values);
  }
}

bool KmsPipe::isReleasing(const Plane& plane) const {
  return std::ranges::contains(givenUp_, plane.id, &Plane::id) ||
         std::ranges::contains(turningOff_, plane.id, &Plane::id);
}

void KmsPipe::describe(AtomicRequest& request, const PlaneContent& content, const PlaneValues& values) const {
  const Plane& plane = *content.plane;
  request.set(plane, P::FbId, content.framebufferId);
  request.set(plane, P::CrtcId, crtc_.id);
  request.set(plane, P::SrcX, content.source.x.raw());
  request.set(plane, P::SrcY, content.source.y.raw());
  request.set(plane, P::SrcW, content.source.width.raw());
  request.set(plane, P::SrcH, content.source.height.raw());
  request.set(plane, P::CrtcX, signedValue(content.destination.x));
  request.set(plane, P::CrtcY, signedValue(content.destination.y));
  request.set(plane, P::CrtcW, signedValue(content.destination.width));
  request.set(plane, P::CrtcH, signedValue(content.destination.height));
  // The rest is optional in the kernel, and a previous master may have changed it: each commit sets what the plane has.
  if (plane.properties.has(P::Rotation)) {
    if (const auto rotation = plane.rotationFor(content.transform)) request.set(plane, P::Rotation, *rotation);
  }
  if (plane.properties.has(P::Alpha)) request.set(plane, P::Alpha, content.alpha);
  if (const auto mode = content.blends ? values.blended : values.unblended)
    request.set(plane, P::PixelBlendMode, *mode);
  if (content.isYuv) {
    if (const auto value = values.encoding.at(static_cast<size_t>(content.encoding)))
      request.set(plane, P::ColorEncoding, *value);
    if (const auto value = values.range.at(static_cast<size_t>(content.range)))
      request.set(plane, P::ColorRange, *value);
  }
  if (values.zpos) request.set(plane, P::Zpos, content.zpos.value_or(*values.zpos));
  if (content.inFence >= 0 && plane.properties.has(P::InFenceFd)) {
    request.set(plane, P::InFenceFd, static_cast<uint64_t>(content.inFence));
  }
}

void KmsPipe::describe(AtomicRequest& request, const KmsFrame& frame) const {
  for (const Plane& plane : givenUp_)
    request.disable(plane);
  for (size_t i = 0; i < planes_.size(); ++i) {
    const auto used = std::ranges::find(frame.planes, planes_[i].id, [](const PlaneContent& c) { return c.plane->id; });
    if (used == frame.planes.end()) {
      request.disable(planes_[i]);
    } else {
      describe(request, *used, values_[i]);
    }
  }
}

/** Adds FB_DAMAGE_CLIPS, which hold for one commit. The same clips as in the frame before are the same blob. */
void KmsPipe::describeDamage(const KmsFrame& frame) {
  for (const PlaneContent& content : frame.planes) {
    const auto index = static_cast<size_t>(content.plane - planes_.data());
    Damage& damage = damage_[index];
    if (!content.plane->properties.has(P::FbDamageClips)) continue;
    if (content.content == nullptr || content.content != damage.content) continue;
    clips_.clear();
    for (const Rect& box : content.damage)
      clips_.push_back({box.x, box.y, box.right(), box.bottom()});
    if (clips_.empty()) clips_.push_back(leastClip);
    if (!damage.blob || !std::ranges::equal(clips_, damage.clips, isSameClip)) {
      auto blob = PropertyBlob::create(device_, clips_.data(), clips_.size() * sizeof clips_[0]);
      if (!blob) continue; // a hint: without it the whole plane counts as damaged
      damage.blob = std::move(*blob);
      damage.clips.swap(clips_);
    }
    request_.set(*content.plane, P::FbDamageClips, damage.blob->id());
  }
}

/** After a commit: what each plane shows. */
void KmsPipe::noteContent(const KmsFrame& frame) {
  for (Damage& damage : damage_)
    damage.content = nullptr;
  for (const PlaneContent& content : frame.planes)
    damage_[static_cast<size_t>(content.plane - planes_.data())].content = content.content;
}

void KmsPipe::describeOn(AtomicRequest& request, uint32_t modeBlob, const KmsFrame& frame) const {
  describe(request, frame);
  describeNeutral(request, connector_);
  describeNeutral(request, crtc_);
  describeContentProtection(request, askedProtection_);
  describeGamma(request);
  request.set(connector_, ConnectorProperty::CrtcId, crtc_.id);
  // GOOD has the kernel train the link again where that had failed.
  if (connector_.properties.has(ConnectorProperty::LinkStatus)) {
    request.set(connector_, ConnectorProperty::LinkStatus, DRM_MODE_LINK_STATUS_GOOD);
  }
  request.set(crtc_, CrtcProperty::ModeId, modeBlob);
  request.set(crtc_, CrtcProperty::Active, 1);
}

void KmsPipe::describeContentProtection(AtomicRequest& request, Hdcp type) const {
  using C = ConnectorProperty;
  const auto value = connector_.properties.enumValue(C::ContentProtection, type != Hdcp::Off ? "Desired" : "Undesired");
  if (value) request.set(connector_, C::ContentProtection, *value);
  const auto content =
      connector_.properties.enumValue(C::HdcpContentType, type == Hdcp::Type1 ? "HDCP Type1" : "HDCP Type0");
  if (value && content) request.set(connector_, C::HdcpContentType, *content);
}

/** What the kernel said of the link before was the answer to another question. */
void KmsPipe::contentProtectionWasAsked() {
  using C = ConnectorProperty;
  const auto value =
      connector_.properties.enumValue(C::ContentProtection, askedProtection_ != Hdcp::Off ? "Desired" : "Undesired");
  if (value) connector_.properties[C::ContentProtection].value = *value;
}

Result<> KmsPipe::askContentProtection(Hdcp type) {
  if (connector_.contentProtection() == ContentProtection::Unsupported || type == askedProtection_) return {};
  if (mode_) { // else it is part of the next modeset
    request_.clear();
    describeContentProtection(request_, type);
    const bool needsModeset = !request_.test(false);
    if (auto done = request_.commitBlocking(needsModeset); !done) return done;
  }
  askedProtection_ = type;
  contentProtectionWasAsked();
  return {};
}

uint32_t KmsPipe::gammaSize() const {
  using C = CrtcProperty;
  if (!crtc_.properties.has(C::GammaLut)) return 0;
  return static_cast<uint32_t>(crtc_.properties[C::GammaLutSize].value);
}

/** Part of every commit: the same table as before costs the kernel nothing. */
void KmsPipe::describeGamma(AtomicRequest& request) const {
  if (gammaSize() != 0) request.set(crtc_, CrtcProperty::GammaLut, gamma_ ? gamma_->id() : 0);
}

Result<> KmsPipe::setGamma(std::span<const GammaEntry> table) {
  if (!table.empty() && table.size() != gammaSize()) {
    return invalid("set gamma", connector_.name,
                   std::format("the table has {} entries, the CRTC's has {}", table.size(), gammaSize()));
  }
  std::optional<PropertyBlob> wanted;
  if (!table.empty()) {
    std::vector<drm_color_lut> entries;
    for (const GammaEntry& entry : table)
      entries.push_back({entry.red, entry.green, entry.blue, 0});
    auto blob = PropertyBlob::create(device_, entries.data(), entries.size() * sizeof(drm_color_lut));
    if (!blob) return std::unexpected(blob.error());
    wanted = std::move(*blob);
  }
  gamma_.swap(wanted);
  if (!mode_ || !gamma_) return {};
  request_.clear();
  describeGamma(request_);
  auto possible = request_.test(false);
  if (!possible) gamma_.swap(wanted);
  return possible;
}

void KmsPipe::describeOff(AtomicRequest& request) const {
  describe(request, {});
  if (gamma_) request.set(crtc_, CrtcProperty::GammaLut, 0);
  request.set(connector_, ConnectorProperty::CrtcId, 0);
  request.set(crtc_, CrtcProperty::ModeId, 0);
  request.set(crtc_, CrtcProperty::Active, 0);
}

void KmsPipe::takeLocks(KmsFrame& frame, std::vector<ScanoutLock>& locks) {
  locks.clear();
  for (PlaneContent& content : frame.planes)
    locks.push_back(std::move(content.lock));
}

void KmsPipe::wasTurnedOn(Mode mode, PropertyBlob blob, KmsFrame& frame) {
  forget();
  mode_ = std::move(mode);
  modeBlob_ = std::move(blob);
  takeLocks(frame, onScreen_);
  connector_.properties[ConnectorProperty::LinkStatus].value = DRM_MODE_LINK_STATUS_GOOD; // as it was set
  contentProtectionWasAsked(); // by the modeset: it ends the authentication of before
}

void KmsPipe::wasTurnedOff() {
  forget();
}

void KmsPipe::forget() {
  ++modesetSerial_;
  flipPending_ = false;
  mode_.reset();
  modeBlob_.reset();
  noteContent({});
  givenUp_.clear();
  turningOff_.clear();
  onScreen_.clear();
  queued_.clear();
}

Result<> KmsPipe::test(const KmsFrame& frame) {
  request_.clear();
  describe(request_, frame);
  return request_.test(false);
}

Result<> KmsPipe::submit(KmsFrame& frame) {
  request_.clear();
  describe(request_, frame);
  describeDamage(frame);
  // Part of every request, so that a frame that changes no plane still brings its event.
  request_.set(crtc_, CrtcProperty::Active, 1);
  describeGamma(request_);
  const uint64_t cookie = nextCookie();
  if (auto done = request_.commitFlip(false, cookie); !done) return done;
  cookie_ = cookie;
  flipPending_ = true;
  noteContent(frame);
  takeLocks(frame, queued_);
  turningOff_.insert(turningOff_.end(), givenUp_.begin(), givenUp_.end());
  givenUp_.clear();
  return {};
}

Result<> KmsPipe::show(KmsFrame& frame) {
  request_.clear();
  describe(request_, frame);
  describeGamma(request_);
  if (auto done = request_.commitBlocking(false); !done) return done;
  flipPending_ = false;
  noteContent(frame);
  queued_.clear();
  takeLocks(frame, onScreen_);
  givenUp_.clear();
  turningOff_.clear();
  return {};
}

bool KmsPipe::handleFlip(const FlipEvent& event) {
  if (!flipPending_ || event.userData != cookie_ || (event.crtcId != 0 && event.crtcId != crtc_.id)) return false;
  flipPending_ = false;
  counters_.flips++;
  onScreen_.swap(queued_);
  queued_.clear(); // what was shown until now
  turningOff_.clear();
  return true;
}

} // namespace vitrine
