import FoundationEssentials
import KeyStore
import Testing

@Suite struct ActorKindTests {
    @Test(arguments: ActorKind.allCases)
    func `an actor names its kind and its id`(kind: ActorKind) {
        let id = UUID()
        let actor = kind.actor(id)
        #expect(ActorKind.allCases.filter { $0.uuid(of: actor) == id } == [kind])
        #expect(ActorKind.allCases.filter { $0.id(of: Attribution.system.actor) != nil } == [])
    }
}
