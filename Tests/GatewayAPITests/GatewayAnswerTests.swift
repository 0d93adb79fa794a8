import FoundationEssentials
import GatewayAPI
import JSON
import Keys
import NIOCore
import Testing

/// The answers of checks, which gateways of several makes read.
@Suite struct GatewayAnswerTests {
    private static let readAt = Timestamp(microsecondsSinceUnixEpoch: 1_800_000_000_500_000)

    private func key(_ change: (inout CheckedKey) -> Void = { _ in }) throws -> CheckedKey {
        let id = try #require(UUIDv7.parse("018f4d2e-7c1a-7b3c-8d4e-5f6a7b8c9d0e"))
        var generator = SystemRandomNumberGenerator()
        var key = CheckedKey(
            state: KeyState(
                keyID: id,
                secretID: id,
                workspaceRef: .random(using: &generator),
                workspaceIsActive: true,
                kind: .service,
                mode: .live
            ),
            name: "CI",
            subject: nil,
            workspaceID: id,
            organizationID: id,
            readAt: Self.readAt
        )
        change(&key)
        return key
    }

    private func answer(_ code: VerdictCode, _ key: CheckedKey, limit: RateLimitVerdict? = nil) -> GatewayAnswer {
        GatewayAnswer(code.isValid ? .valid(key, limit: limit) : .refused(code, key, limit: limit))
    }

    // The fault: a gateway that misses a header hands on the client's own.
    @Test func `a valid key has all eight headers, empty where there is nothing to say`() throws {
        let answer = answer(.valid, try key())
        #expect(answer.status == 200 && answer.body.isEmpty)
        #expect(GatewayAnswer.identityNames.count == 8)
        #expect(GatewayAnswer.identityNames.allSatisfy { answer[$0] != nil })
        #expect(answer["X-Mortise-Subject"] == "" && answer["X-Mortise-Scopes"] == "")
        #expect(answer["X-Mortise-Key-Id"] == "018f4d2e-7c1a-7b3c-8d4e-5f6a7b8c9d0e")
        #expect(answer["X-Mortise-Kind"] == "service" && answer["X-Mortise-Mode"] == "live")
        #expect(answer["Cache-Control"] == "no-store")
        for absent in ["X-Mortise-Reason", "RateLimit", "RateLimit-Policy", "Deprecation", "Sunset", "Content-Type"] {
            #expect(answer[absent] == nil, "\(absent)")
        }
    }

    // The attack: a name or a subject with a line feed writes headers of its own.
    @Test func `what is not visible ASCII is percent-encoded, and so is the percent sign`() throws {
        let answer = answer(
            .valid,
            try key {
                $0.name = "100% é\r\nX-Mortise-Subject: root"
                $0.subject = "user 1\u{0}~"
                $0.state.scopes = ScopeSet(freeForm: ["read:a", "a b", "*"])
            }
        )
        #expect(answer["X-Mortise-Name"] == "100%25%20%C3%A9%0D%0AX-Mortise-Subject:%20root")
        #expect(answer["X-Mortise-Subject"] == "user%201%00~")
        #expect(answer["X-Mortise-Scopes"] == "read:a a%20b *")
    }

    @Test func `limits are shown with the tightest, and a key over its limit is told when to come again`() throws {
        let limits = try #require(RateLimits(perMinute: 600, perHour: 10_000))
        let limited = try key { $0.state.rateLimits = limits }
        var usage = RateLimits.Usage()
        let first = answer(.valid, limited, limit: limits.use(&usage, at: 0))
        #expect(first["RateLimit-Policy"] == "\"minute\";q=600;w=60, \"hour\";q=10000;w=3600")
        #expect(first["RateLimit"] == "\"minute\";r=599;t=1")
        let hourly = try #require(RateLimits(perMinute: nil, perHour: 1))
        var used = RateLimits.Usage()
        _ = hourly.use(&used, at: 0)
        let over = hourly.use(&used, at: 0)
        let key = try key { $0.state.rateLimits = hourly }
        let refusal = answer(.rateLimited, key, limit: over)
        #expect(refusal.status == 429)
        #expect(refusal["Retry-After"] == "3600")
        #expect(refusal["RateLimit"] == "\"hour\";r=0;t=3600")
        #expect(refusal["RateLimit-Policy"] == "\"hour\";q=1;w=3600")
        #expect(refusal["X-Mortise-Reason"] == "rate_limited")
        var statuses = RefusalStatuses()
        statuses.over = 403
        let other = GatewayAnswer(.refused(.rateLimited, key, limit: over), statuses: statuses)
        #expect(other.status == 403 && other["X-Mortise-Reason"] == "rate_limited" && other["Retry-After"] == "3600")
        // The failures of a client have a limit of another name than those of its key.
        let failures = GatewayAnswer(.tooManyFailures(try #require(over)))
        #expect(failures.status == 429 && failures["X-Mortise-Reason"] == "rate_limited")
        #expect(failures["Retry-After"] == "3600" && failures["RateLimit"] == "\"failures\";r=0;t=3600")
        #expect(failures["RateLimit-Policy"] == "\"failures\";q=1;w=3600")
    }

    @Test func `a key or a secret in its grace period says so`() throws {
        let deprecated = answer(
            .valid,
            try key {
                $0.state.lifecycle.deprecatedAt = Timestamp(microsecondsSinceUnixEpoch: 1_688_169_599_000_000)
                $0.state.lifecycle.graceEndsAt = Timestamp(microsecondsSinceUnixEpoch: 1_719_791_999_000_000)
            }
        )
        #expect(deprecated["Deprecation"] == "@1688169599")
        #expect(deprecated["Sunset"] == "Sun, 30 Jun 2024 23:59:59 GMT")
        let replaced = answer(
            .valid,
            try key { $0.state.secret.endsAt = Timestamp(microsecondsSinceUnixEpoch: 1_800_000_060_000_000) }
        )
        #expect(replaced["Deprecation"] == "@1800000000")
        #expect(replaced["Sunset"] == "Fri, 15 Jan 2027 08:01:00 GMT")
        let expiring = answer(.valid, try key { $0.state.lifecycle.expiresAt = Self.readAt + .seconds(1) })
        #expect(expiring["Deprecation"] == nil && expiring["Sunset"] == nil)
    }

    // The attack: a stranger learns from the answer if a token ever was a key.
    @Test func `refusals of a token differ in one header alone, which names the reason to the audience's own key only`()
        throws
    {
        let key = try key()
        let unknown = GatewayAnswer(.unknown(.notFound))
        #expect(unknown.status == 401 && unknown["X-Mortise-Reason"] == "not_found")
        #expect(unknown["WWW-Authenticate"] == "Bearer realm=\"mortise\", error=\"invalid_token\"")
        for code in [VerdictCode.revoked, .expired, .disabled] {
            var refused = answer(code, key)
            #expect(refused["X-Mortise-Reason"] == code.rawValue)
            refused.fields.removeAll { $0.name == "X-Mortise-Reason" }
            var stranger = unknown
            stranger.fields.removeAll { $0.name == "X-Mortise-Reason" }
            #expect(refused == stranger, "\(code)")
        }
        #expect(GatewayAnswer(.unknown(.malformed)).body == unknown.body)
        let noToken = GatewayAnswer(.noToken)
        #expect(noToken.status == 401 && noToken["X-Mortise-Reason"] == "no_token")
        #expect(noToken["WWW-Authenticate"] == "Bearer realm=\"mortise\"")
    }

    @Test func `each other refusal has its status and its headers`() throws {
        let key = try key()
        for code in [VerdictCode.wrongAddress, .wrongMode, .wrongNamespace, .workspaceUnavailable, .insufficientScope] {
            let answer = answer(code, key)
            #expect(answer.status == 403 && answer["X-Mortise-Reason"] == code.rawValue, "\(code)")
            #expect((answer["WWW-Authenticate"] != nil) == (code == .insufficientScope), "\(code)")
        }
        let scopes = try [Scope(validating: "read:a"), Scope(validating: "write:*")]
        let insufficient = GatewayAnswer(.refused(.insufficientScope, key, limit: nil), scopes: scopes)
        #expect(insufficient["WWW-Authenticate"] == "Bearer error=\"insufficient_scope\", scope=\"read:a write:*\"")
        var statuses = RefusalStatuses()
        statuses.away = 403
        // A suspended workspace is an answer, and not a failure to get one.
        #expect(
            GatewayAnswer(.refused(.workspaceUnavailable, key, limit: nil), statuses: statuses)["Retry-After"] == nil
        )
        #expect(GatewayAnswer(.unavailable).status == 503 && GatewayAnswer(.unavailable)["Retry-After"] == "2")
        #expect(GatewayAnswer(.unavailable, statuses: statuses).status == 403)
        #expect(GatewayAnswer(.invalid(CheckFault(.unknown))).status == 400)
        #expect(GatewayAnswer(.invalid(CheckFault(.unknown)))["X-Mortise-Reason"] == "invalid_request")
        #expect(GatewayAnswer(.gatewayCredential).status == 401)
        #expect(GatewayAnswer(.gatewayCredential)["X-Mortise-Reason"] == "gateway_credential")
    }

    @Test func `the body of a refusal is a problem with the true status and without a request id`() throws {
        var statuses = RefusalStatuses()
        statuses.away = 403
        let answer = GatewayAnswer(.unavailable, statuses: statuses)
        #expect(answer["Content-Type"] == "application/problem+json")
        let body = try JSONValue(parsing: answer.body)
        #expect(body["status"] == 403 && body["code"] == "workspace_unavailable")
        #expect(body["type"] == "/problems/workspace_unavailable" && body["request_id"] == nil)
    }

    @Test func `the answer to HEAD has the headers of the answer to GET`() {
        func bytes(isHead: Bool, isLast: Bool = false) -> String {
            var buffer = ByteBuffer()
            GatewayAnswer(.noToken).write(to: &buffer, isHead: isHead, date: "D", isLast: isLast)
            return String(buffer: buffer)
        }
        let get = bytes(isHead: false)
        let head = bytes(isHead: true)
        #expect(head.hasSuffix("\r\n\r\n") && get.hasPrefix(head) && get.hasSuffix("}"))
        #expect(get.hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))
        #expect(get.contains("\r\nDate: D\r\n") && !get.contains("Connection"))
        #expect(bytes(isHead: true, isLast: true).contains("\r\nConnection: close\r\n"))
    }
}
