import GatewayAPI
import Keys
import Testing

/// The path of a check, whose options the gateway's configuration writes and no client can change.
@Suite struct CheckPathTests {
    private static let id = "018f4d2e-7c1a-7b3c-8d4e-5f6a7b8c9d0e"
    private static let workspace = "/v1/authorize/workspaces/\(id)"

    private func options(_ text: String) throws -> CheckOptions {
        try #require(try CheckPath.read(Self.workspace + text)).options
    }

    private func fault(_ text: String) -> CheckFault? {
        do throws(CheckFault) {
            _ = try CheckPath.read(Self.workspace + text)
            return nil
        } catch {
            return error
        }
    }

    @Test func `the audience is an id or a slug, and anything else is an audience that does not exist`() throws {
        let id = try #require(UUIDv7.parse(Self.id))
        let cases: [(String, AudienceName)] = [
            ("workspaces/\(Self.id)", .workspace(id)), ("workspaces/\(Self.id)/", .workspace(id)),
            ("workspaces/\(Self.id)?q", .workspace(id)), ("workspaces/\(Self.id);mode=live/a;b//c?d", .workspace(id)),
            ("organizations/\(Self.id)/", .organization(id)), ("organizations/acme/x", .organizationSlug("acme")),
            ("organizations/ACME/", .malformed), ("organizations//", .malformed), ("organizations/a%2Fb/", .malformed),
            ("workspaces/acme/", .malformed), ("workspaces/", .malformed), ("workspaces/\(Self.id)*", .malformed),
            ("organizations/\(String(repeating: "a", count: 64))/", .malformed),
        ]
        for (path, audience) in cases {
            #expect(try CheckPath.read("/v1/authorize/" + path)?.audience == audience, "\(path)")
        }
        #expect(
            try CheckPath.read("http://mortise:9000/v1/authorize/organizations/acme/")?.audience
                == .organizationSlug("acme")
        )
    }

    @Test func `a path outside of the checks is no check`() throws {
        for path in [
            "", "/", "/v1/authorize", "/v1/authorize/", "/v1/authorize/workspace/a/", "//v1/authorize/workspaces/a/",
            "/v1/authorize/workspaces", "/V1/authorize/workspaces/a/", "/v1/verify", "mortise:80", "*", "http://host",
            "/x?/v1/authorize/workspaces/a/",
        ] {
            #expect(try CheckPath.read(path) == nil, "\(path)")
        }
    }

    @Test func `every option is read, and its value is percent-decoded once`() throws {
        let all = try options(
            ";scope=read:orders;scope=write%3Aorders;namespace=e%2575u%20%3B;mode=test;token=X-My-Key;token=Authorization"
                + ";address=X-Real-IP;over=403;away=599/orders;scope=admin:*?;mode=live"
        )
        #expect(all.scopes.map(\.text) == ["read:orders", "write:orders"])
        #expect(all.namespace == "e%75u ;")
        #expect(all.mode == .test)
        #expect(all.tokenHeaders == ["X-My-Key", "Authorization"])
        #expect(all.addressHeader == "X-Real-IP")
        #expect(all.statuses.over == 403 && all.statuses.away == 599)
        #expect(try options("/") == CheckOptions())
        #expect(CheckOptions().statuses.over == 429 && CheckOptions().statuses.away == 503)
    }

    // The fault: a mistyped option that is ignored lets in a key that the operator meant to keep out.
    @Test func `an unknown, empty, repeated or malformed option is a fault`() {
        let cases: [(String, CheckFault)] = [
            (";", CheckFault(.empty)), (";;scope=read:a/", CheckFault(.empty)), (";scope=read:a;/", CheckFault(.empty)),
            (";scope/", CheckFault(.empty, .scope)), (";scope=/", CheckFault(.empty, .scope)),
            (";mode=;x=1/", CheckFault(.empty, .mode)),
            (";scopes=read:a/", CheckFault(.unknown)), (";Scope=read:a/", CheckFault(.unknown)),
            (";%73cope=read:a/", CheckFault(.unknown)), (";=a/", CheckFault(.unknown)),
            (";mode=live;mode=live/", CheckFault(.repeated, .mode)),
            (";namespace=a;namespace=b/", CheckFault(.repeated, .namespace)),
            (";address=A;address=B/", CheckFault(.repeated, .address)),
            (";over=403;over=403/", CheckFault(.repeated, .over)),
            (";away=403;away=403/", CheckFault(.repeated, .away)),
            (";scope=read/", CheckFault(.malformed, .scope)), (";scope=read:orders*", CheckFault(.malformed, .scope)),
            (";scope=read:%zz/", CheckFault(.malformed, .scope)), (";scope=read:%ff/", CheckFault(.malformed, .scope)),
            (";namespace=%00/", CheckFault(.malformed, .namespace)),
            (";namespace=\(String(repeating: "n", count: 256))/", CheckFault(.malformed, .namespace)),
            (";mode=Live/", CheckFault(.malformed, .mode)), (";mode=any/", CheckFault(.malformed, .mode)),
            (";token=X-Key*", CheckFault(.malformed, .token)), (";token=X%20Key/", CheckFault(.malformed, .token)),
            (";address=X-Real-IP*", CheckFault(.malformed, .address)),
            (";over=399/", CheckFault(.malformed, .over)), (";over=600/", CheckFault(.malformed, .over)),
            (";away=200/", CheckFault(.malformed, .away)), (";away=+403/", CheckFault(.malformed, .away)),
            (";away=0403/", CheckFault(.malformed, .away)),
        ]
        for (text, expected) in cases { #expect(fault(text) == expected, "\(text)") }
        let many = String(repeating: ";scope=read:a", count: ScopeSet.maximumCount + 1)
        #expect(fault(many) == CheckFault(.repeated, .scope))
        for kind in CheckFault.Kind.allCases {
            for option in CheckOption.allCases { #expect(CheckFault(kind, option).sentence.contains(option.rawValue)) }
        }
    }

    // Attack: a client's own part of the path is taken for the gateway's, because a path that was read before is like it.
    @Test func `a path from memory is what reading it again gives`() throws {
        let cache = PathCache()
        let id = "0197a3b2-1c50-7cc5-9c1e-0f5f2a7f8a11"
        var targets: [String] = []
        for audience in [
            "workspaces/\(id)", "organizations/acme", "organizations/\(id)", "workspaces/acme", "teams/acme",
            "workspaces",
            "organizations/acme;scope=read:orders", "organizations/acme;mode=test;scope=b", "workspaces/\(id);over=403",
        ] {
            for client in [
                "", "/", "/x", "/;scope=admin", "?a=/b;mode=live", "#/..", "/../workspaces/other", ";scope=c/d",
            ] {
                targets.append("/v1/authorize/\(audience)\(client)")
                targets.append("http://host/v1/authorize/\(audience)\(client)")
            }
        }
        targets += [
            "/v1/authorize", "/v1/authorize/", "/v1/authorize/?/x", "/healthz", "",
            "/v1/authorize/#/organizations/acme",
        ]
        targets.append("/v1/authorize/organizations/acme;scope=" + String(repeating: "a", count: 600) + "/x")
        for _ in 0..<2 {
            for target in targets {
                let direct = Result { try CheckPath.read(target) }
                let cached = Result { try cache.read(target) }
                #expect("\(direct)" == "\(cached)", "\(target)")
            }
        }
    }
}
