/* SPDX-License-Identifier: GPL-2.0-only */
/* What the platform adds to vkms; see vkms_vitrine.c. */
#ifndef VKMS_VITRINE_H
#define VKMS_VITRINE_H

#include <linux/types.h>

struct dma_buf;
struct dma_buf_attachment;
struct dentry;
struct drm_atomic_commit;
struct drm_connector;
struct drm_device;
struct drm_gem_object;
struct line_buffer;
struct sg_table;
struct vkms_camera;
struct vkms_connector;
struct vkms_crtc_state;
struct vkms_output;

/* The display's access to protected memory (drm_driver.gem_prime_import and .gem_prime_import_sg_table) */
struct drm_gem_object *vkms_vitrine_import(struct drm_device *dev, struct dma_buf *dmabuf);
struct drm_gem_object *vkms_vitrine_import_sg_table(struct drm_device *dev, struct dma_buf_attachment *attach,
						    struct sg_table *sgt);

/* The panel camera, one for each CRTC */
int vkms_camera_init(struct vkms_output *out);
bool vkms_camera_wanted(struct vkms_output *out);	/* in the vblank handler: should this frame be composed for it? */
bool vkms_camera_exposes(struct vkms_output *out);	/* and: is one being composed, so that the panel has to wait? */
void vkms_camera_begin(struct vkms_crtc_state *state);	/* in the composer: a frame, its lines, its end */
void vkms_camera_line(struct vkms_crtc_state *state, const struct line_buffer *line, int y);
void vkms_camera_end(struct vkms_crtc_state *state);

/* HDMI connectors with HDCP; see vkms_hdcp.c */
int vkms_hdcp_connector_type(struct drm_device *dev);	/* of the connector that is made next */
int vkms_hdcp_init(struct vkms_connector *connector);
int vkms_hdcp_check(struct drm_connector *connector, struct drm_atomic_commit *state);
void vkms_hdcp_commit(struct drm_atomic_commit *state);
void vkms_hdcp_debugfs_init(struct drm_connector *connector, struct dentry *root);

#endif
