// SPDX-License-Identifier: GPL-2.0-only
/*
 * HDMI connectors with HDCP for the platform's display (vkms.hdmi=MASK, one bit per connector in the order of creation).
 *
 * Simulated: the authentication between source and receiver. Nothing is encrypted. Real: both properties, their uevents, and
 * drm_hdcp_update_content_protection(). As with the drivers that are hardest to use:
 *   - A change of either property needs a modeset (cdns-mhdp8546).
 *   - Authentication starts when userspace asks for it, or with a modeset, and never again by itself. A receiver that refuses leaves the
 *     property at Desired, without an event (i915, after its retries).
 *   - Loss of the link is Enabled -> Desired with an event. Nothing is retried.
 *
 * The receiver, a test's hand on it: <debugfs>/dri/N/CONNECTOR/hdcp_receiver.
 *   write "none|type0|type1 [MILLISECONDS]": the highest content type that the receiver takes, and how long it takes. An active link that
 *     needs more than that is lost.
 *   write "lost": the active link fails its integrity check once.
 *   read: "type1 100 ms, 3 authentications" (started since boot).
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/workqueue.h>

#include <drm/display/drm_hdcp_helper.h>
#include <drm/drm_atomic.h>
#include <drm/drm_connector.h>
#include <drm/drm_managed.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_print.h>

#include "vkms_connector.h"
#include "vkms_vitrine.h"

static uint hdmi;
module_param(hdmi, uint, 0444);
MODULE_PARM_DESC(hdmi, "Connectors that are HDMI with HDCP: one bit each");

static const char * const receives[] = { "none", "type0", "type1" };

/* Protected by mode_config.connection_mutex. */
struct vkms_hdcp {
	struct drm_connector *connector;
	struct delayed_work authentication;
	int receiver;			/* index into receives[] */
	unsigned int delay_ms;
	unsigned int authentications;
};

int vkms_hdcp_connector_type(struct drm_device *dev)
{
	return hdmi & BIT(dev->mode_config.num_connector) ? DRM_MODE_CONNECTOR_HDMIA : DRM_MODE_CONNECTOR_eDP;
}

static struct vkms_hdcp *hdcp_of(struct drm_connector *connector)
{
	if (connector->connector_type != DRM_MODE_CONNECTOR_HDMIA)
		return NULL;
	return container_of(connector, struct vkms_connector, base)->hdcp;
}

static bool receiver_takes(const struct vkms_hdcp *hdcp)
{
	return hdcp->receiver > hdcp->connector->state->hdcp_content_type;
}

static void authenticate(struct work_struct *work)
{
	struct vkms_hdcp *hdcp = container_of(to_delayed_work(work), struct vkms_hdcp, authentication);
	struct drm_modeset_lock *lock = &hdcp->connector->dev->mode_config.connection_mutex;
	struct drm_connector_state *state;

	drm_modeset_lock(lock, NULL);
	state = hdcp->connector->state;
	if (state->crtc && state->content_protection == DRM_MODE_CONTENT_PROTECTION_DESIRED && receiver_takes(hdcp))
		drm_hdcp_update_content_protection(hdcp->connector, DRM_MODE_CONTENT_PROTECTION_ENABLED);
	drm_modeset_unlock(lock);
}

/* Called with connection_mutex held. */
static void lose_link(struct vkms_hdcp *hdcp)
{
	if (hdcp->connector->state->content_protection == DRM_MODE_CONTENT_PROTECTION_ENABLED)
		drm_hdcp_update_content_protection(hdcp->connector, DRM_MODE_CONTENT_PROTECTION_DESIRED);
}

/* The connector's atomic_check. */
int vkms_hdcp_check(struct drm_connector *connector, struct drm_atomic_commit *state)
{
	struct drm_connector_state *old = drm_atomic_get_old_connector_state(state, connector);
	struct drm_connector_state *new = drm_atomic_get_new_connector_state(state, connector);
	struct drm_crtc_state *crtc_state;

	if (!hdcp_of(connector))
		return 0;
	crtc_state = new->crtc ? drm_atomic_get_new_crtc_state(state, new->crtc) : NULL;
	if (old->content_protection != new->content_protection || old->hdcp_content_type != new->hdcp_content_type) {
		if (crtc_state)
			crtc_state->mode_changed = true;
	}
	/* A modeset ends the authentication of before. */
	if (new->content_protection == DRM_MODE_CONTENT_PROTECTION_ENABLED &&
	    (!crtc_state || drm_atomic_crtc_needs_modeset(crtc_state)))
		new->content_protection = DRM_MODE_CONTENT_PROTECTION_DESIRED;
	return 0;
}

/* In the commit's tail. */
void vkms_hdcp_commit(struct drm_atomic_commit *state)
{
	struct drm_connector *connector;
	struct drm_connector_state *new;
	int i;

	for_each_new_connector_in_state(state, connector, new, i) {
		struct vkms_hdcp *hdcp = hdcp_of(connector);
		struct drm_crtc_state *crtc_state;

		if (!hdcp)
			continue;
		crtc_state = new->crtc ? drm_atomic_get_new_crtc_state(state, new->crtc) : NULL;
		if (!crtc_state || new->content_protection == DRM_MODE_CONTENT_PROTECTION_UNDESIRED) {
			cancel_delayed_work(&hdcp->authentication);
		} else if (drm_atomic_crtc_needs_modeset(crtc_state)) {
			hdcp->authentications++;
			mod_delayed_work(system_wq, &hdcp->authentication, msecs_to_jiffies(hdcp->delay_ms));
		}
	}
}

static ssize_t receiver_write(struct file *file, const char __user *from, size_t count, loff_t *offset)
{
	struct vkms_hdcp *hdcp = ((struct seq_file *)file->private_data)->private;
	struct drm_modeset_lock *lock = &hdcp->connector->dev->mode_config.connection_mutex;
	char text[32] = {}, word[8] = {};
	unsigned int delay_ms = 0;
	int receiver;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, count))
		return -EFAULT;
	if (sscanf(text, "%7s %u", word, &delay_ms) < 1)
		return -EINVAL;
	receiver = match_string(receives, ARRAY_SIZE(receives), word);
	if (receiver < 0 && strcmp(word, "lost"))
		return -EINVAL;
	drm_modeset_lock(lock, NULL);
	if (receiver >= 0) {
		hdcp->receiver = receiver;
		hdcp->delay_ms = delay_ms;
	}
	if (receiver < 0 || !receiver_takes(hdcp))
		lose_link(hdcp);
	drm_modeset_unlock(lock);
	return count;
}

static int receiver_show(struct seq_file *file, void *unused)
{
	struct vkms_hdcp *hdcp = file->private;

	seq_printf(file, "%s %u ms, %u authentications\n", receives[hdcp->receiver], hdcp->delay_ms,
		   hdcp->authentications);
	return 0;
}

static int receiver_open(struct inode *inode, struct file *file)
{
	return single_open(file, receiver_show, inode->i_private);
}

static const struct file_operations receiver_fops = {
	.owner = THIS_MODULE,
	.open = receiver_open,
	.read = seq_read,
	.write = receiver_write,
	.release = single_release,
};

/* drm_connector_funcs.debugfs_init */
void vkms_hdcp_debugfs_init(struct drm_connector *connector, struct dentry *root)
{
	if (hdcp_of(connector))
		debugfs_create_file("hdcp_receiver", 0600, root, hdcp_of(connector), &receiver_fops);
}

static void hdcp_fini(struct drm_device *dev, void *data)
{
	cancel_delayed_work_sync(&((struct vkms_hdcp *)data)->authentication);
}

int vkms_hdcp_init(struct vkms_connector *connector)
{
	struct drm_device *dev = connector->base.dev;
	struct vkms_hdcp *hdcp;
	int ret;

	if (connector->base.connector_type != DRM_MODE_CONNECTOR_HDMIA)
		return 0;
	hdcp = drmm_kzalloc(dev, sizeof(*hdcp), GFP_KERNEL);
	if (!hdcp)
		return -ENOMEM;
	hdcp->connector = &connector->base;
	hdcp->receiver = 2;
	hdcp->delay_ms = 100;
	INIT_DELAYED_WORK(&hdcp->authentication, authenticate);
	connector->hdcp = hdcp;
	ret = drm_connector_attach_content_protection_property(&connector->base, true);
	return ret ? ret : drmm_add_action_or_reset(dev, hdcp_fini, hdcp);
}
