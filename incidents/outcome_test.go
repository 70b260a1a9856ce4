package incidents

import "testing"

// While a room is brought up to date, a person may want another one, and it may
// be put away: the syncer knows of neither.
func TestASyncKeepsWhatWasSaidOfTheRoomMeanwhile(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	row := Room{ID: "storm", Row: st.s.ID}
	st.must(RoomSynced{Chat: "slack", Room: row}, minute(1))
	st.must(WantRoom{By: eve}, minute(2))
	row.LastSeq = 3
	st.must(RoomSynced{Chat: "slack", Room: row}, minute(3))
	if got := st.s.Rooms["slack"]; !got.Wanted || got.LastSeq != 3 {
		t.Fatalf("the wish is lost: %+v", got)
	}
	own := Room{ID: "own", Name: "inc-1", Wanted: true}
	st.must(RoomSynced{Chat: "slack", Room: own}, minute(4))
	if got := st.s.Rooms["slack"]; got.Wanted || got.Row != 0 {
		t.Errorf("it has what it wanted: %+v", got)
	}
	st.must(RoomArchived{Chat: "slack"}, minute(5))
	st.must(RoomSynced{Chat: "slack", Room: own}, minute(6))
	if got := st.s.Rooms["slack"]; !got.ArchivedAt.Equal(minute(5)) {
		t.Errorf("it is put away: %+v", got)
	}
}
