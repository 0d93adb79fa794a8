import JSON
import LocalPostgres
import Postgres
import TestSupport
import Testing

/// `mortise cluster` on two real servers.
@Suite(.hangLimit) struct ClusterCommandTests {
    @Test func `an added server holds workspaces of a running Mortise`() async throws {
        try await ProcessInstallation.with { installation in
            let early = try await Program.run(["cluster", "list"], environment: installation.variables)
            #expect(early.code == 1 && early.errors.contains("no installation"))
            try await withServer { second, _ in
                let conninfo = second.conninfo
                try await installation.serve { program in
                    let port = try await program.port()
                    let path = "/v1/organizations/default/workspaces"
                    let far: JSONValue = ["name": "far", "cluster": "second"]
                    #expect(try await installation.call("POST", path, far, port: port).status == 400)
                    let added = try await Program.run(
                        ["cluster", "add", "second", conninfo],
                        environment: installation.variables
                    )
                    #expect(added.code == 0, "\(added.everything)")
                    let made = try await installation.call("POST", path, far, port: port)
                    #expect(made.status == 201, "\(made)")
                    let key = try await installation.call(
                        "POST",
                        "/v1/workspaces/far/service-keys",
                        ["name": "k"],
                        port: port
                    )
                    let token = try #require(key.body["token"]?.string, "\(key)")
                    #expect(try await installation.verdict(token, port: port) == "valid")
                }
                let list = try await Program.run(["cluster", "list", "--json"], environment: installation.variables)
                let names = try JSONValue(parsing: Array(list.output.utf8)).array?.compactMap { $0["name"]?.string }
                #expect(names == ["second", "primary"])
                let table = try await Program.run(["cluster", "list"], environment: installation.variables)
                #expect(table.output.contains("the control database's"))

                let again = try await Program.run(
                    ["cluster", "add", "second", conninfo],
                    environment: installation.variables
                )
                #expect(again.code == 64 && again.errors.contains("the name is taken"))
                for command in [["cluster", "remove", "secnd"], ["cluster", "update", "secnd", conninfo]] {
                    let wrong = try await Program.run(command, environment: installation.variables)
                    #expect(wrong.code == 1, "\(wrong.everything)")
                    #expect(wrong.errors.contains("there is no cluster \"secnd\""), "\(wrong.errors)")
                    #expect(wrong.errors.contains("Did you mean second?"), "\(wrong.errors)")
                }
            }
        }
    }

    // The fault: a removed server was a lost lease on each node that had used it, until the node was restarted.
    @Test func `a running Mortise leaves a removed server, and uses it again when it is added again`() async throws {
        try await ProcessInstallation.with { installation in
            try await withServer { second, _ in
                let conninfo = second.conninfo
                try await installation.serve { program in
                    let port = try await program.port()
                    for (round, name) in ["one", "two"].enumerated() {
                        let added = try await Program.run(
                            ["cluster", "add", "second", conninfo],
                            environment: installation.variables
                        )
                        #expect(added.code == 0, "\(added.everything)")
                        let made = try await installation.call(
                            "POST",
                            "/v1/organizations/default/workspaces",
                            ["name": .string(name), "cluster": "second"],
                            port: port
                        )
                        #expect(made.status == 201, "\(made)")
                        let path = "/v1/workspaces/\(name)"
                        let key = try await installation.call(
                            "POST",
                            "\(path)/service-keys",
                            ["name": "k"],
                            port: port
                        )
                        let token = try #require(key.body["token"]?.string, "\(key)")
                        // The first verification of a node on a server waits for its lease.
                        try await eventually("the key is valid") {
                            try await installation.verdict(token, port: port) == "valid"
                        }
                        let archived = try await installation.call("POST", "\(path)/archive", port: port)
                        #expect(archived.status == 200, "\(archived)")
                        let deleted = try await installation.call("DELETE", path, port: port)
                        #expect(deleted.status == 204, "\(deleted)")
                        let removed = try await Program.run(
                            ["cluster", "remove", "second"],
                            environment: installation.variables
                        )
                        #expect(removed.code == 0, "\(removed.everything)")
                        try await eventually("the node leaves the server") {
                            program.log.split(separator: "this node has left it").count == round + 2
                        }
                        let verdict = try await installation.verdict(token, port: port)
                        #expect(verdict == "not_found")
                    }
                }
            }
        }
    }

    // The accident: the setting of the control database is named, which is right, and not the connection string.
    @Test func `a server that cannot be reached is not added, and the connection string is named`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in _ = try await program.port() }
            let outcome = try await Program.run(
                ["cluster", "add", "second", "host=/nowhere user=u"],
                environment: installation.variables
            )
            #expect(outcome.code == 1, "\(outcome.everything)")
            let sentence = "The cluster was not added: its PostgreSQL server cannot be reached."
            #expect(outcome.errors.contains(sentence), "\(outcome.errors)")
            #expect(outcome.errors.contains("/nowhere") && outcome.errors.contains("connection string"))
            #expect(!outcome.errors.contains("MORTISE_DATABASE_URL"), "\(outcome.errors)")
        }
    }

    // The attack: somebody reads the password of another server's owner in the control database.
    @Test func `a password in a connection string is refused and not printed`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in _ = try await program.port() }
            for conninfo in ["host=h password=hunter2", "postgresql://u:hunter2@h/d"] {
                let outcome = try await Program.run(
                    ["cluster", "add", "second", conninfo],
                    environment: installation.variables
                )
                #expect(outcome.code == 64, "\(outcome.everything)")
                #expect(!outcome.everything.contains("hunter2"))
            }
            #expect(try await installation.texts("SELECT name FROM control.clusters") == ["primary"])
        }
    }
}
