import Keys
import Testing

@testable import Notices

extension WebhookRequest {
    /// Returns a request that nobody has signed.
    static func sample(to url: String) throws -> WebhookRequest {
        WebhookRequest(
            to: try #require(WebhookURL(url)),
            id: "id",
            body: "{}",
            signedBy: [],
            at: try #require(Timestamp(rfc3339: "2030-01-01T00:00:00Z")),
            userAgent: "test"
        )
    }
}
