import KeyStore
import Keys
import Notices
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Changes that hold only if the thing is as the caller knows it.
///
/// Two people save a form at the same moment: each was compared with the present settings before the other one was saved.
@Suite(.hangLimit) struct ChangedMeanwhileTests {
    @Test func `a key that was changed after it was read is not changed by that knowledge`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let caller = try await mortise.caller()
            let known = try await mortise.createKey(KeyDraft(name: "CI", kind: .service), in: home).key
            var mine = KeyPatch()
            mine.description = .set("mine")
            let changed = try await keys.update(known.id, mine, ifStill: known, in: home, by: caller)
            let theirs: KeyPatch = {
                var patch = KeyPatch()
                patch.description = .set("theirs")
                return patch
            }()
            await #expect(throws: ChangedMeanwhile.self) {
                _ = try await keys.update(known.id, theirs, ifStill: known, in: home, by: caller)
            }
            #expect(try await keys.get(known.id, in: home).description == "mine")
            _ = try await keys.update(known.id, theirs, ifStill: changed, in: home, by: caller)
            #expect(try await keys.get(known.id, in: home).description == "theirs")
        }
    }

    // The attack: a key was disabled for another reason since, and the person who enables it knows of the first one only.
    @Test func `a key that was disabled again after it was read is not enabled by that knowledge`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let caller = try await mortise.caller()
            let id = try await mortise.createKey(KeyDraft(name: "CI", kind: .service), in: home).key.id
            let known = try await keys.disable(id, in: home, by: caller)
            _ = try await keys.enable(id, in: home, by: caller)
            let again = try await keys.disable(id, in: home, by: caller)
            await #expect(throws: ChangedMeanwhile.self) {
                _ = try await keys.enable(id, ifStill: known, in: home, by: caller)
            }
            let kept = try await keys.get(id, in: home)
            #expect(kept.disabledAt != nil)
            let enabled = try await keys.enable(id, ifStill: again, in: home, by: caller)
            #expect(enabled.disabledAt == nil)
        }
    }

    @Test func `a workspace that was changed after it was read is not changed by that knowledge`() async throws {
        try await withMortise { mortise in
            let (workspaces, caller) = (mortise.server.platform.workspaces, try await mortise.caller())
            let known = try await workspaces.get("default", by: caller)
            let mine = WorkspaceChange(name: .some("mine"))
            _ = try await workspaces.update("default", mine, ifStill: known, by: caller)
            await #expect(throws: ChangedMeanwhile.self) {
                _ = try await workspaces.update("default", WorkspaceChange(name: "theirs"), ifStill: known, by: caller)
            }
            let kept = try await workspaces.get("default", by: caller)
            #expect(kept.name == "mine")
            _ = try await workspaces.suspend("default", by: caller)
            await #expect(throws: ChangedMeanwhile.self) {
                _ = try await workspaces.resume("default", ifStill: known, by: caller)
            }
            let suspended = try await workspaces.get("default", by: caller)
            #expect(suspended.state == .suspended)
            let resumed = try await workspaces.resume("default", ifStill: suspended, by: caller)
            #expect(resumed.state == .active)
        }
    }

    @Test func `an organization that was changed after it was read is not changed by that knowledge`() async throws {
        try await withMortise { mortise in
            let (organizations, caller) = (mortise.server.platform.organizations, try await mortise.caller())
            let known = try await organizations.get("default", by: caller)
            var mine = OrganizationChange()
            mine.unusedAfterDays = .some(30)
            _ = try await organizations.update("default", mine, ifStill: known, by: caller)
            await #expect(throws: ChangedMeanwhile.self) {
                var theirs = OrganizationChange()
                theirs.unusedAfterDays = .some(60)
                _ = try await organizations.update("default", theirs, ifStill: known, by: caller)
            }
            let kept = try await organizations.get("default", by: caller)
            #expect(kept.unusedAfterDays == 30)
        }
    }

    @Test func `a webhook that was changed after it was read is not changed by that knowledge`() async throws {
        try await withMortise { mortise in
            let (webhooks, caller) = (mortise.server.platform.webhooks, try await mortise.caller())
            let new = NewWebhook(
                workspaceID: nil,
                url: "https://hooks.example.com/a",
                description: nil,
                eventTypes: ["*"]
            )
            let known = try await webhooks.create(new, organization: "default", by: caller) { _ in "{}" }.webhook
            func describe(_ text: String) async throws {
                var change = WebhookChange()
                change.description = .some(text)
                _ = try await webhooks.update(known.id, change, ifStill: known, organization: "default", by: caller)
            }
            try await describe("mine")
            await #expect(throws: ChangedMeanwhile.self) { try await describe("theirs") }
            let kept = try await webhooks.get(known.id, organization: "default", by: caller)
            #expect(kept.description == "mine")
            let disabled = try await webhooks.disable(known.id, organization: "default", by: caller)
            await #expect(throws: ChangedMeanwhile.self) {
                _ = try await webhooks.enable(known.id, ifStill: kept, organization: "default", by: caller)
            }
            let enabled = try await webhooks.enable(known.id, ifStill: disabled, organization: "default", by: caller)
            #expect(enabled.isEnabled)
        }
    }
}
