#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// A webhook: a URL that is told of the events of an organization.
    public struct Webhook: Sendable, Hashable, Identifiable {
        /// The id of the webhook.
        public let id: String
        /// The id of the organization.
        public let organizationID: String
        /// The id of the only workspace whose events are sent, or `nil` for the events of the whole organization.
        public let workspaceID: String?
        /// The URL.
        public let url: String
        /// The description.
        public let description: String?
        /// The types of events, such as `key.revoked`, `key.*` or `*`.
        public let eventTypes: [String]
        /// True if events are sent.
        public let isEnabled: Bool
        /// The reason for which the webhook is disabled.
        public let disabledReason: String?
        /// The time at which the webhook was created.
        public let createdAt: Date
        /// The time of the last change.
        public let updatedAt: Date
        /// The time of the last attempt that the receiver accepted.
        public let lastDeliveryAt: Date?
    }

    /// A webhook with its signing secret, which no later response contains.
    public struct RevealedWebhook: Sendable, Hashable, Identifiable {
        /// The webhook.
        public let webhook: Webhook
        /// The signing secret, which begins with `whsec_`.
        public let secret: SecretToken

        /// The id of the webhook.
        public var id: String { webhook.id }
    }

    /// An event that a webhook is told of, with the attempts so far.
    public struct WebhookDelivery: Sendable, Hashable, Identifiable {
        /// The id of the delivery.
        public let id: String
        /// The id of the event, which is the header `webhook-id` of each attempt.
        public let eventID: String
        /// The type of the event.
        public let type: String
        /// The attempts, the first one first.
        public let attempts: [Attempt]
        /// The time of the next attempt, or `nil` after the last attempt.
        public let nextAttemptAt: Date?
        /// The time at which the delivery was written.
        public let createdAt: Date

        /// An attempt to tell the receiver.
        public struct Attempt: Sendable, Hashable {
            /// The time of the attempt.
            public let at: Date
            /// The duration in milliseconds.
            public let milliseconds: Int
            /// The status of the answer, or `nil` if no answer came.
            public let statusCode: Int?
            /// The first KiB of the answer.
            public let response: String?
            /// The reason for which the attempt failed.
            public let error: String?
        }
    }
}

extension Mortise.Webhook: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        organizationID = try answer.text("organization_id")
        workspaceID = try answer.textIfAny("workspace_id")
        url = try answer.text("url")
        description = try answer.textIfAny("description")
        eventTypes = try answer.texts("event_types")
        isEnabled = try answer.bool("enabled")
        disabledReason = try answer.textIfAny("disabled_reason")
        createdAt = try answer.time("created_at")
        updatedAt = try answer.time("updated_at")
        lastDeliveryAt = try answer.timeIfAny("last_delivery_at")
    }
}

extension Mortise.RevealedWebhook: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        webhook = try answer.object("webhook")
        secret = try answer.token("secret")
    }
}

extension Mortise.WebhookDelivery: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        eventID = try answer.text("event_id")
        type = try answer.text("type")
        attempts = try answer.objects("attempts")
        nextAttemptAt = try answer.timeIfAny("next_attempt_at")
        createdAt = try answer.time("created_at")
    }
}

extension Mortise.WebhookDelivery.Attempt: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        at = try answer.time("at")
        milliseconds = try answer.integer("duration_ms")
        statusCode = try answer.integerIfAny("status_code")
        response = try answer.textIfAny("response")
        error = try answer.textIfAny("error")
    }
}
