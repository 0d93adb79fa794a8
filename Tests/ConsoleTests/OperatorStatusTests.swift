import JSON
import ServerTestSupport
import Tenancy
import TestSupport
import Testing

/// The pages for operators about clusters and nodes.
@Suite(.hangLimit) struct OperatorStatusTests {
    /// Returns the position of a text in a page.
    private static func position(
        _ text: String,
        _ page: Browser.Page,
        at location: SourceLocation = #_sourceLocation
    ) throws -> String.Index {
        try #require(
            page.text.firstRange(of: text)?.lowerBound,
            "\(text) is not in \(page.text)",
            sourceLocation: location
        )
    }

    @Test func `the page of clusters has what the status of the native API has, and the commands for a change`()
        async throws
    {
        try await withConsole { console in
            let browser = try await console.operatorBrowser()
            let page = try await browser.get("/console/platform/clusters")
            #expect(page.status == 200)
            let status = try await console.mortise.api.get("/v1/status", as: console.mortise.operatorToken)
            let cluster = try #require(status["clusters"]?.array?.first)
            let version = try #require(cluster["version"]?.string)
            for text in [
                ">primary<", "Control database", ">Reachable<", "PostgreSQL \(version)",
                "data-label=\"Workspaces\">1<", "All workspaces are on one server", "mortise cluster add second ",
                // An operator key is of no organization: the command as it was printed was refused.
                "mortise workspace create Billing --organization default --cluster second",
                "aria-current=\"page\"",
            ] {
                #expect(page.text.contains(text), "\(text) is not in \(page.text)")
            }
            #expect(page.text.contains(#/data-label="Connections"><span[^>]*>[0-9,]+ of [0-9,]+</#))
            #expect(!page.text.contains("mortise cluster remove"))
        }
    }

    // The host is a path, so nothing but the file system is asked for it. Its text is data, whatever characters it has.
    @Test func `a cluster that does not answer stands first, with the reason`() async throws {
        try await withConsole { console in
            try await console.mortise.script(
                console.mortise.installation.control,
                """
                INSERT INTO control.clusters (id, name, conninfo)
                VALUES (gen_random_uuid(), 'second', 'host=''/<b>nowhere</b>'' port=''1'' user=''somebody''')
                """
            )
            let browser = try await console.operatorBrowser()
            let page = try await browser.get("/console/platform/clusters")
            #expect(page.status == 200)
            let attention = try Self.position("Needs attention", page)
            let second = try Self.position("id=\"cluster-second\"", page)
            let primary = try Self.position("id=\"cluster-primary\"", page)
            #expect(attention < second && second < primary)
            for text in [
                "does not answer: no connection to the server", ">Unreachable<", "No connection to the server",
                "/&lt;b&gt;nowhere&lt;/b&gt;/.s.PGSQL.1", "mortise cluster add third ",
                "mortise cluster update second ", "mortise cluster remove second",
            ] {
                #expect(page.text.contains(text), "\(text) is not in \(page.text)")
            }
            #expect(!page.text.contains("<b>nowhere") && !page.text.contains("somebody"))
            let status = try await console.mortise.api.get("/v1/status", as: console.mortise.operatorToken)
            let cluster = try #require(status["clusters"]?.array?.last)
            #expect(cluster["name"] == "second" && cluster["is_reachable"] == false && cluster["workspaces"] == 0)
            #expect(cluster["fault"] == "no connection to the server")
            #expect(cluster["address"] == "/<b>nowhere</b>/.s.PGSQL.1")
            let nodes = try await browser.get("/console/platform/nodes")
            #expect(nodes.text.contains("/console/platform/clusters#cluster-second"))
        }
    }

    @Test func `the page of nodes has this node and all leases, those that have ended first`() async throws {
        try await withConsole { console in
            let mortise = console.mortise
            let key = try await mortise.makeKey()
            let verdict = try await mortise.verdict(key.token)
            #expect(verdict == "valid")
            let silent = "00000000-0000-4000-8000-00000000dead"
            let installation = mortise.installation
            try await mortise.script(
                installation.server.configuration(database: installation.installation.clusterDatabase),
                """
                INSERT INTO fence.leases (node_id, raised, renewed_at)
                VALUES ('\(silent)', '{}', now() - interval '90 minutes')
                """
            )
            let status = try await mortise.api.get("/v1/status", as: mortise.operatorToken)
            let leases = status["clusters"]?.array?.first?["leases"]?.array ?? []
            #expect(leases.count == 2)
            let silentLease = leases.first { $0["id"]?.string == silent }
            #expect(silentLease?["is_silent"] == true)
            let ownLease = leases.first { $0["is_own"] == true }
            let own = try #require(ownLease?["id"]?.string)
            let node = try #require(status["nodes"]?.array?.first?["id"]?.string)
            let browser = try await console.operatorBrowser()
            let page = try await browser.get("/console/platform/nodes")
            #expect(page.status == 200)
            let positions = try ["Needs attention", node, silent, own].map { try Self.position($0, page) }
            #expect(positions == positions.sorted())
            for text in [
                "was last heard 1 hour ago. The next change waits for it", ">Silent<", "1.0.0-test", ">Another node<",
                "data-label=\"Leases\">2<", "data-label=\"Open fences\">0<", ">Changes<", ">Stops<",
                "aria-current=\"page\"",
            ] {
                #expect(page.text.contains(text), "\(text) is not in \(page.text)")
            }
        }
    }

    @Test func `only an operator's session opens the pages of clusters and nodes`() async throws {
        try await withConsole { console in
            let owner = try await console.browser("ada@example.org", "owner")
            for name in ["clusters", "nodes"] {
                for browser in [console.browser(), owner] {
                    let page = try await browser.get("/console/platform/\(name)")
                    #expect(page.location == "/console/platform/sign-in?next=%2Fconsole%2Fplatform%2F\(name)")
                }
            }
        }
    }
}
