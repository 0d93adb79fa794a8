import FoundationEssentials
import Keys
import Notices
import Tenancy

/// The values of webhooks and their deliveries in templates.
enum WebhookView {
    /// Types of events that a form suggests.
    static var suggestions: [[String: Any]] {
        ["key.*", "key.revoked", "key.expiring", "workspace.*", "member.*", "*"].map { ["text": $0] }
    }

    /// Returns the values of a webhook.
    static func values(_ webhook: Webhook, _ workspaces: [Workspace], at now: Timestamp) -> [String: Any] {
        let place = webhook.workspaceID.map { id in
            workspaces.first { $0.id == id }.map { $0.name ?? $0.slug } ?? "A workspace"
        }
        var values: [String: Any] = [
            "id": UUIDv7.text(of: webhook.id), "path": "/console/webhooks/\(UUIDv7.text(of: webhook.id))",
            "url": webhook.url, "description": webhook.description ?? "",
            "types": webhook.eventTypes.map { ["text": $0] }, "place": place ?? "All workspaces",
            "isEnabled": webhook.isEnabled, "isFailing": webhook.isEnabled && webhook.failingSince != nil,
            "changed": OldPage.changed(webhook.updatedAt),
        ]
        if let reason = webhook.disabling { values["disabledReason"] = reason.sentence }
        values["failing"] = TimeView.values(webhook.failingSince, at: now)
        values["accepted"] = TimeView.values(webhook.lastDeliveryAt, at: now)
        return values
    }

    /// Returns the values of a delivery.
    static func values(_ delivery: Delivery, of webhook: String, at now: Timestamp) -> [String: Any] {
        var values: [String: Any] = [
            "type": delivery.type, "eventID": UUIDv7.text(of: delivery.eventID),
            "path": "\(webhook)/deliveries/\(UUIDv7.text(of: delivery.id))",
            "attempts": NumberText.counted(delivery.attempts.count, "attempt"),
            "hasAttempts": !delivery.attempts.isEmpty,
        ]
        if let last = delivery.attempts.last {
            let isAccepted = last.statusCode.map { (200..<300).contains($0) } ?? false
            values["outcome"] = isAccepted ? "Accepted" : last.statusCode.map { "Status \($0)" } ?? "No answer"
            values["badge"] = isAccepted ? "s-active" : "s-revoked"
            values["milliseconds"] = last.milliseconds
            let detail = last.error ?? (isAccepted ? nil : last.response)
            if let detail = detail?.prefix(200), !detail.isEmpty { values["detail"] = String(detail) }
        }
        values["created"] = TimeView.values(delivery.createdAt, at: now)
        values["nextAttempt"] = TimeView.values(delivery.nextAttemptAt, at: now)
        return values
    }

    /// Returns what needs attention: webhooks that fail, or that were disabled because they failed.
    static func attention(_ webhooks: [Webhook], at now: Timestamp) -> [[String: Any]] {
        webhooks.compactMap { webhook in
            let text: String
            if webhook.isEnabled, let since = webhook.failingSince {
                text = "has accepted no event; the failures began \(TimeView.relative(since, to: now))"
            } else if webhook.disabling == .failures {
                text = "was disabled, because all attempts failed for 5 days"
            } else {
                return nil
            }
            return [
                "name": webhook.url, "kind": "ending", "text": text, "workspace": "Webhooks",
                "path": "/console/webhooks/\(UUIDv7.text(of: webhook.id))",
            ]
        }
    }
}
