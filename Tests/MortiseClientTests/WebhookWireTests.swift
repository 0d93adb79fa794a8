import FoundationEssentials
import HTTPTestSupport
import MortiseClient
import TestSupport
import Testing

/// The requests and responses of webhooks, and of the settings of notices.
@Suite(.hangLimit) struct WebhookWireTests {
    private static let path = "/v1/organizations/o/webhooks"

    private static let webhook = """
        {"id":"h","organization_id":"o","workspace_id":null,"url":"https://r.example/","description":null,\
        "event_types":["key.*"],"enabled":true,"disabled_reason":null,"created_at":"2029-01-31T12:34:56Z",\
        "updated_at":"2029-01-31T12:34:56Z","last_delivery_at":null}
        """

    private static let revealed = #"{"webhook":\#(webhook),"secret":"whsec_AAAA"}"#

    private static let delivery = """
        {"id":"d","event_id":"e","type":"key.revoked","attempts":[{"at":"2029-01-31T12:34:56Z","duration_ms":7,\
        "status_code":500,"response":"no","error":null}],"next_attempt_at":null,"created_at":"2029-01-31T12:34:56Z"}
        """

    private static let organization = """
        {"id":"o","name":"O","slug":"o","token_prefix":null,"expiry_notice_days":[14,3],"unused_after_days":0,\
        "leak_action":"quarantine","default_workspace_id":null,"created_at":"2029-01-31T12:34:56Z","updated_at":"2029-01-31T12:34:56Z"}
        """

    static let cases = [
        WireCase("GET \(path)?limit=2", answer: #"{"data":[\#(webhook)],"next_cursor":null}"#) {
            try await $0.webhooks(of: "o").list(limit: 2).all().map(\.url) == ["https://r.example/"]
        },
        WireCase("GET \(path)/h", answer: webhook) {
            let webhook = try await $0.webhooks(of: "o").get("h")
            return webhook.isEnabled && webhook.eventTypes == ["key.*"] && webhook.lastDeliveryAt == nil
        },
        WireCase(
            "POST \(path)",
            #"{"url":"https://r.example/","event_types":["key.*"],"workspace_id":"w","description":"d"}"#,
            answer: revealed
        ) {
            let made = try await $0.webhooks(of: "o")
                .create(url: "https://r.example/", eventTypes: ["key.*"], workspaceID: "w", description: "d")
            return made.id == "h" && made.secret.reveal() == "whsec_AAAA"
        },
        WireCase("PATCH \(path)/h", #"{"event_types":["*"],"description":null}"#, answer: webhook) {
            try await $0.webhooks(of: "o").update("h", eventTypes: ["*"], description: .clear).id == "h"
        },
        WireCase("POST \(path)/h/enable", answer: webhook) {
            try await $0.webhooks(of: "o").enable("h").disabledReason == nil
        },
        WireCase("POST \(path)/h/disable", answer: webhook) {
            try await $0.webhooks(of: "o").disable("h").id == "h"
        },
        WireCase("POST \(path)/h/rotate-secret", answer: revealed) {
            try await $0.webhooks(of: "o").rotateSecret("h").webhook.id == "h"
        },
        WireCase("POST \(path)/h/test") {
            try await $0.webhooks(of: "o").test("h")
            return true
        },
        WireCase("GET \(path)/h/deliveries?limit=2", answer: #"{"data":[\#(delivery)],"next_cursor":null}"#) {
            let attempts = try await $0.webhooks(of: "o").deliveries(of: "h", limit: 2).all().flatMap(\.attempts)
            return attempts.map(\.statusCode) == [500] && attempts.map(\.milliseconds) == [7]
        },
        WireCase("POST \(path)/h/deliveries/d/retry") {
            try await $0.webhooks(of: "o").retry("d", of: "h")
            return true
        },
        WireCase("DELETE \(path)/h") {
            try await $0.webhooks(of: "o").delete("h")
            return true
        },
        WireCase(
            "PATCH /v1/organizations/o",
            #"{"expiry_notice_days":[14,3],"unused_after_days":null,"leak_action":"quarantine"}"#,
            answer: organization
        ) {
            let changed = try await $0.organizations
                .update("o", expiryNoticeDays: .set([14, 3]), unusedAfterDays: .clear, leakAction: .set("quarantine"))
            return changed.expiryNoticeDays == [14, 3] && changed.unusedAfterDays == 0
                && changed.leakAction == "quarantine"
        },
    ]

    @Test(arguments: cases)
    func `a call sends its request and reads its response`(_ wire: WireCase) async throws {
        try await wire.check()
    }
}
