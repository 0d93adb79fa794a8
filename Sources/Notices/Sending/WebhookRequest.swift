import FoundationEssentials
import Keys
import NIOHTTP1

/// A signed request to a webhook, as standardwebhooks.com describes it.
struct WebhookRequest: Sendable {
    let url: WebhookURL
    let headers: HTTPHeaders
    let body: [UInt8]

    /// Creates a request.
    ///
    /// - Parameters:
    ///   - url: The URL.
    ///   - id: The id, which is the same in all attempts.
    ///   - body: The body.
    ///   - secrets: The signing secrets: the current one, and the replaced one while it signs.
    ///   - now: The time of the attempt.
    ///   - userAgent: The value of the header `User-Agent`.
    init(
        to url: WebhookURL,
        id: String,
        body: String,
        signedBy secrets: [SigningSecret],
        at now: Timestamp,
        userAgent: String
    ) {
        self.url = url
        self.body = Array(body.utf8)
        let seconds = now.microsecondsSinceUnixEpoch / 1_000_000
        let message = Array("\(id).\(seconds).".utf8) + self.body
        headers = [
            "Host": url.authority,
            "User-Agent": userAgent,
            "Content-Type": "application/json",
            "Content-Length": "\(self.body.count)",
            "Accept": "*/*",
            "webhook-id": id,
            "webhook-timestamp": "\(seconds)",
            "webhook-signature": secrets.map { $0.signature(of: message) }.joined(separator: " "),
        ]
    }
}
