import KeyStore
import Keys
import Locks
import Postgres
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct CreationTests {
    @Test func `a new workspace is active and migrated, knows its organization and has its event in both databases`()
        async throws
    {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let organization = try await test.write {
                try await $0.createOrganization(NewOrganization(name: "Acme"), by: .system)
            }
            let by = Attribution(actor: "somebody", address: "192.0.2.1", requestID: "r1")
            let workspace = try await provisioner.create(
                NewWorkspace(organizationID: organization.id, name: "Räder & Co"),
                by: by
            )
            #expect(workspace.state == .active)
            #expect(workspace.slug == "r-der-co")
            #expect(workspace.database == "\(test.installation.prefix)_w_\(workspace.ref.text)")
            let event =
                "SELECT id || type || actor || address || request_id || changes || occurred_at FROM auth.key_events"
            let (rows, events) = try await test.withRuntime(workspace.database) { runtime in
                (
                    try await runtime.texts(
                        "SELECT workspace_id || ' ' || organization_id || ' ' || ref || state FROM auth.workspace"
                    ),
                    try await runtime.texts(event)
                )
            }
            let expected =
                "\(UUIDv7.text(of: workspace.id)) \(UUIDv7.text(of: organization.id)) \(workspace.ref.text)active"
            #expect(rows == [expected])
            let inControl = try await test.withRuntime(test.owner.database ?? "") {
                try await $0.texts("\(event) WHERE type = 'workspace.created'")
            }
            #expect(events.count == 1)
            #expect(events == inControl)
            await provisioner.shutdown()
        }
    }

    // A crash at any step leaves a row that tells what to do. An incomplete workspace is never used as a complete one.
    @Test(arguments: [
        ProvisioningStep.recorded, .templateCreated, .templateMigrated, .templateCompleted, .cloned, .initialized,
        .opened, .activated,
    ])
    func `a crash after any step is repaired by the next start`(step: ProvisioningStep) async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let crashing = Provisioner.crashing(after: step, control)
            await #expect(throws: Crash.self) { try await test.makeTenant(crashing) }
            await crashing.shutdown()

            let next = Provisioner(control, options: .ample)
            let report = try await next.repairAll()
            #expect(report.failed.isEmpty)
            #expect(report.reconciled.count == (step == .activated ? 0 : 1))
            let page = try await test.withStore { try await $0.workspaces(PageRequest()) }
            let workspace = try #require(page.items.first)
            #expect(workspace.state == .active)
            let found = try await test.withRuntime(workspace.database) {
                try await $0.texts("SELECT state FROM auth.workspace UNION ALL SELECT type FROM auth.key_events")
            }
            #expect(found == ["active", "workspace.created"])
            let templates = try await test.databases().filter { $0.contains("_template_") }
            #expect(templates.count == 1)
            #expect(try await next.repairAll().reconciled.isEmpty)
            await next.shutdown()
        }
    }

    @Test func `nodes that reconcile the same workspace concurrently all succeed`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let organization = try await test.write {
                try await $0.createOrganization(NewOrganization(name: "Acme"), by: .system)
            }
            let made = try await test.write {
                try await $0.createWorkspace(NewWorkspace(organizationID: organization.id), by: .system)
            }
            let nodes = [
                Provisioner(control, options: .ample), Provisioner(control, options: .ample),
                Provisioner(control, options: .ample),
            ]
            let states = try await withThrowingTaskGroup(of: WorkspaceState?.self) { group in
                for node in nodes { group.addTask { try await node.reconcile(made.id)?.state } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(states == [.active, .active, .active])
            for node in nodes { await node.shutdown() }
        }
    }

    @Test func `many workspaces are created concurrently from one template`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let nodes = [Provisioner(control, options: .ample), Provisioner(control, options: .ample)]
            let first = try await test.write {
                try await $0.createOrganization(NewOrganization(name: "Acme"), by: .system)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<6 {
                    group.addTask {
                        let new = NewWorkspace(organizationID: first.id, name: "w \(index)")
                        _ = try await nodes[index % 2].create(new, by: .system)
                    }
                }
                try await group.waitForAll()
            }
            let databases = try await test.databases()
            #expect(databases.filter { $0.contains("_w_") }.count == 6)
            #expect(databases.filter { $0.contains("_template_") }.count == 1)
            for node in nodes { await node.shutdown() }
        }
    }

    // The attack: a tenant sends many requests for new workspaces at once, and PostgreSQL creates databases on all processors.
    @Test func `databases of an organization are created one after the other`() async throws {
        try await withInstallation { test in
            let work = Locked((now: 0, most: 0))
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample) { step in
                work.withLock { work in
                    switch step {
                    case .cloned: work.now += 1
                    case .activated: work.now -= 1
                    default: break
                    }
                    work.most = max(work.most, work.now)
                }
            }
            let organization = try await test.write {
                try await $0.createOrganization(NewOrganization(name: "Acme"), by: .system)
            }
            var made: [Workspace] = []
            for number in 0..<4 {
                let new = NewWorkspace(organizationID: organization.id, name: "w \(number)")
                made.append(try await test.write { try await $0.createWorkspace(new, by: .system) })
            }
            let states = try await withThrowingTaskGroup(of: WorkspaceState?.self) { group in
                for workspace in made {
                    group.addTask { try await provisioner.reconcile(workspace.id, of: organization.id)?.state }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(states == [.active, .active, .active, .active])
            #expect(work.withLock { $0.most } == 1)
            await provisioner.shutdown()
        }
    }

    // The template's name can be guessed. A database of that name that Mortise did not complete must not become the
    // schema of every workspace.
    @Test func `a template that is not marked complete is created again`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let first = Provisioner(control, options: .ample)
            let workspace = try await test.makeTenant(first)
            let template = try #require(try await test.databases().first { $0.contains("_template_") })
            try await administer("ALTER DATABASE \(template) WITH IS_TEMPLATE false ALLOW_CONNECTIONS true")
            try await test.withDatabase(template) { try await $0.script("DROP SCHEMA auth CASCADE") }
            let second = Provisioner(control, options: .ample)
            let new = NewWorkspace(organizationID: workspace.organizationID, name: "b")
            #expect(try await second.create(new, by: .system).state == .active)
            await first.shutdown()
            await second.shutdown()
        }
    }

    @Test func `a template that another release dropped is created again, and old templates are removed`() async throws
    {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let workspace = try await test.makeTenant(provisioner)
            let template = try #require(try await test.databases().first { $0.contains("_template_") })
            let old = "\(test.installation.prefix)_template_0123456789abcdef"
            try await administer("ALTER DATABASE \(template) RENAME TO \(old)")
            let new = NewWorkspace(organizationID: workspace.organizationID, name: "b")
            #expect(try await provisioner.create(new, by: .system).state == .active)
            #expect(try await test.databases().filter { $0.contains("_template_") } == [template])
            await provisioner.shutdown()
        }
    }

    @Test func `a creation in an unknown organization or on an unknown cluster leaves nothing`() async throws {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let workspace = try await test.makeTenant(provisioner)
            let nobody = await #expect(throws: TenancyError.self) {
                try await provisioner.create(NewWorkspace(organizationID: workspace.id), by: .system)
            }
            #expect(nobody?.code == .unknownOrganization)
            let nowhere = await #expect(throws: TenancyError.self) {
                let new = NewWorkspace(organizationID: workspace.organizationID, cluster: "elsewhere")
                return try await provisioner.create(new, by: .system)
            }
            #expect(nowhere?.code == .unknownCluster)
            #expect(try await test.databases().filter { $0.contains("_w_") } == [workspace.database])
            await provisioner.shutdown()
        }
    }

    // After an upgrade of libc or ICU, PostgreSQL clones no database that was created before.
    @Test func `a template whose collation version no longer fits is created again`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let provisioner = Provisioner(control, options: .ample)
            let first = try await test.makeTenant(provisioner)
            let prefix = "\(test.installation.prefix)_template"
            let outdate = "UPDATE pg_database SET datcollversion = '0' WHERE starts_with(datname, '\(prefix)')"
            try await administer(outdate)
            // A node that has seen the template, and one that has not.
            let other = Provisioner(control, options: .ample)
            for (name, node) in [("second", provisioner), ("third", other)] {
                let new = NewWorkspace(organizationID: first.organizationID, name: name)
                #expect(try await node.create(new, by: .system).state == .active)
                try await administer(outdate)
            }
            await other.shutdown()
            await provisioner.shutdown()
        }
    }
}
