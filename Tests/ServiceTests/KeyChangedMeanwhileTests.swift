import KeyStore
import Keys
import ServerTestSupport
import Service
import TestSupport
import Testing

/// Changes that hold only if the key is as the caller knows it.
@Suite(.hangLimit) struct KeyChangedMeanwhileTests {
    // Two people save a form at the same moment: each was compared with the present settings before the other one was saved.
    @Test func `a key that was changed after it was read is not changed by that knowledge`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let caller = try await mortise.caller()
            let known = try await mortise.createKey(KeyDraft(name: "CI", kind: .service), in: home).key
            var mine = KeyPatch()
            mine.description = .set("mine")
            let changed = try await keys.update(known.id, mine, ifStill: known, in: home, by: caller)
            var theirs = KeyPatch()
            theirs.description = .set("theirs")
            var isRefused = false
            do {
                _ = try await keys.update(known.id, theirs, ifStill: known, in: home, by: caller)
            } catch is KeyChangedMeanwhile {
                isRefused = true
            }
            #expect(isRefused)
            #expect(try await keys.get(known.id, in: home).description == "mine")
            _ = try await keys.update(known.id, theirs, ifStill: changed, in: home, by: caller)
            #expect(try await keys.get(known.id, in: home).description == "theirs")
        }
    }
}
